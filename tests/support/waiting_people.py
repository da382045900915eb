"""A full activity and people who wait for a place in it."""

from datetime import datetime, timedelta

from registrations.models import Activity, WaitingEntry
from registrations.services.waiting_list import join_waiting_list
from tests.support.road import NOON


def wait_for(activity: Activity, *names: str, at: datetime = NOON, language: str = "en") -> list[WaitingEntry]:
    """They join the waiting list, one second after the other, in this order."""
    return [
        join_waiting_list(
            activity=activity, name=name, email=address_of(name), language=language, at=at + timedelta(seconds=number)
        )
        for number, name in enumerate(names)
    ]  # fmt: skip


def address_of(name: str) -> str:
    """Where `make_registration` writes to somebody of this name, too."""
    return f"{name.lower().replace(' ', '.')}@example.com"
