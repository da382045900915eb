"""Waits for what the process of the emulator does; call it outside of any transaction."""

import time
from collections.abc import Callable

from django.db.models import Q

from stripe_emulator import clock
from stripe_emulator.models import Delivery, DeliveryState, Event

PAUSE = 0.05


def wait_for_acknowledgement(object_id: str, event_type: str, *, seconds: float) -> bool:
    """Until every delivery of the newest such event about the object is answered with 2xx, at most so long.

    Returns whether they are. An event that nobody has subscribed to is acknowledged at once.
    """
    return _wait_until(lambda: _is_acknowledged(object_id, event_type), seconds=seconds)


def wait_until_quiet(*, seconds: float) -> bool:
    """Until nothing is due any more, at most so long. Returns whether that is so; later retries do not count."""
    return _wait_until(_is_quiet, seconds=seconds)


def _is_acknowledged(object_id: str, event_type: str) -> bool:
    event = Event.objects.filter(object_id=object_id, type=event_type).order_by("number").last()
    return event is not None and not event.deliveries.exclude(state=DeliveryState.DELIVERED).exists()


def _is_quiet() -> bool:
    due = Q(due_at__lte=clock.emulated_now()) | Q(tries=0)
    return not Delivery.objects.filter(due, state=DeliveryState.PENDING).exists()


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    return True
