"""The staff's screens for activities, registrations and the waiting list: one file each."""

from registrations.admin import activities, registrations, waiting

__all__ = ["activities", "registrations", "waiting"]
