"""Doorways for the timetable: each reads the clock and calls one service."""

from celery import shared_task
from django.utils import timezone

from registrations.services.call_off import finish_calling_off
from registrations.services.check_places import check_places
from registrations.services.reminders import remind_unpaid
from registrations.services.waiting_list import offer_places, seat_waiting


@shared_task(name="registrations.seat_waiting")
def seat_waiting_job(**_later: object) -> None:
    """Nobody who paid waits while a place is free, whatever freed it."""
    seat_waiting(at=timezone.now())


@shared_task(name="registrations.offer_places")
def offer_places_job(**_later: object) -> None:
    """Whoever waits longest is offered the place that has become free."""
    offer_places(at=timezone.now())


@shared_task(name="registrations.remind_unpaid")
def remind_unpaid_job(**_later: object) -> None:
    """Whoever has begun to pay, and whose time is nearly over, is told so once."""
    remind_unpaid(at=timezone.now())


@shared_task(name="registrations.finish_calling_off")
def finish_calling_off_job(**_later: object) -> None:
    """Whoever registered for what does not take place is told, and gets their money back, however late it came."""
    finish_calling_off(at=timezone.now())


@shared_task(name="registrations.check_places")
def check_places_job(**_later: object) -> None:
    """Tell staff where places do not add up; nothing is repaired."""
    check_places(at=timezone.now())
