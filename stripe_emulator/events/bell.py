"""Wakes the loop of this process as soon as there is something to send; elsewhere nobody listens."""

import threading

from django.db import transaction

_rung = threading.Event()


def ring() -> None:
    """Look again, now."""
    _rung.set()


def ring_on_commit() -> None:
    """Look again as soon as the current transaction is there for others to see."""
    transaction.on_commit(ring)


def wait(seconds: float) -> None:
    """Until somebody rings, or so long."""
    _rung.wait(seconds)
    _rung.clear()
