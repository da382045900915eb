"""A full activity and people who wait for a place in it; those who read their mail have confirmed it."""

from datetime import datetime, timedelta

from registrations.models import Activity, WaitingEntry
from registrations.services.waiting_list import confirm_waiting, join_waiting_list
from tests.support.road import NOON


def wait_for(activity: Activity, *names: str, at: datetime = NOON, language: str = "en") -> list[WaitingEntry]:
    """They join the waiting list, one second after the other, in this order, and open the link in their mail."""
    entries = ask_to_wait_for(activity, *names, at=at, language=language)
    for entry in entries:
        confirm_waiting(entry=entry, at=entry.created_at)
    return entries


def ask_to_wait_for(activity: Activity, *names: str, at: datetime = NOON, language: str = "en") -> list[WaitingEntry]:
    """They join it, and nobody has opened the link yet."""
    return [
        join_waiting_list(
            activity=activity, name=name, email=address_of(name), language=language, at=at + timedelta(seconds=number)
        )
        for number, name in enumerate(names)
    ]  # fmt: skip


def address_of(name: str) -> str:
    """Where `make_registration` writes to somebody of this name, too."""
    return f"{name.lower().replace(' ', '.')}@example.com"
