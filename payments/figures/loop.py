"""Keeps the figures fresh, beside every worker, of whom one at a time counts; it needs no broker."""

from threading import Event

from django.utils import timezone

from payments.figures.rollup import refresh_figures

LOOK_EVERY_SECONDS = 1.0


def keep_figures(stopping: Event) -> None:
    """Until the end: a mark is worked off within a second or two."""
    while not stopping.is_set():
        refresh_figures(at=timezone.now())
        stopping.wait(LOOK_EVERY_SECONDS)
