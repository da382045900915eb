"""Doorways for the timetable: each reads the clock and calls one service."""

from celery import shared_task
from django.utils import timezone

from registrations import jobs
from registrations.services import seat_waiting


@shared_task(name=jobs.SEAT_WAITING)
def seat_waiting_job(**_later: object) -> None:
    """Nobody who paid waits while a place is free, whatever freed it."""
    seat_waiting(at=timezone.now())
