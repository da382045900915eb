"""Keeps the figures fresh: a loop of every worker, of whom one at a time counts; it needs no broker."""

from threading import Event

from django.utils import timezone

from payments.figures.rollup import refresh_figures
from payments.processing.worker import runs_in_worker

LOOK_EVERY_SECONDS = 1.0


@runs_in_worker
def keep_figures(stopping: Event) -> None:
    """Until the end: a mark is worked off within a second or two."""
    while not stopping.is_set():
        refresh_figures(at=timezone.now())
        stopping.wait(LOOK_EVERY_SECONDS)
