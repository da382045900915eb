"""Takes due deliveries in hand, one sender each, in the order of the queue."""

import time
from collections.abc import Collection

from django.db import transaction
from django.db.models import Max, QuerySet

from stripe_emulator import clock
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.plan import is_open
from stripe_emulator.models import Delivery, DeliveryState, Emulation, Event

LEASE = 120
"""Seconds after which somebody else may send what this process never came back from."""
QUIET = 1.0
"""Seconds without a new event after which nothing is held back to be overtaken any more."""


class Tide:
    """Tells since when no event was born."""

    def __init__(self) -> None:
        self._newest, self._since = -1, 0.0

    def newest(self) -> tuple[int, bool]:
        """The number of the newest event, and whether there was none after it for QUIET seconds."""
        newest = Event.objects.aggregate(newest=Max("number"))["newest"] or 0
        if newest != self._newest:
            self._newest, self._since = newest, time.monotonic()
        return newest, time.monotonic() - self._since >= QUIET


_tide = Tide()


@transaction.atomic
def claim(limit: int, *, busy: Collection[int] = ()) -> list[int]:
    """Up to so many due deliveries, in the order in which they are to be sent; `busy` are in hand already.

    What is due to an endpoint that is disabled or deleted is stopped instead.
    """
    emulation = Emulation.current()
    now = clock.real_now() + emulation.ahead
    due = Delivery.objects.filter(state=DeliveryState.PENDING, due_at__lte=now).exclude(pk__in=busy)
    ordered = _in_order(due, Chaos.of(emulation))
    rows = ordered.select_related("endpoint").select_for_update(skip_locked=True, of=("self",))[:limit]
    going = [row.pk for row in rows if is_open(row.endpoint)]
    stopped = [row.pk for row in rows if not is_open(row.endpoint)]
    Delivery.objects.filter(pk__in=stopped).update(state=DeliveryState.STOPPED)
    Delivery.objects.filter(pk__in=going).update(due_at=now + LEASE)
    return going


def release(pk: int) -> None:
    """Give back what was claimed and not sent: it is due now."""
    Delivery.objects.filter(pk=pk, state=DeliveryState.PENDING).update(due_at=clock.emulated_now())


def _in_order(due: QuerySet[Delivery], chaos: Chaos) -> QuerySet[Delivery]:
    """By position alone while events are shuffled, and only as far as nothing can overtake any more."""
    if not chaos.shuffle:
        return due.order_by("due_at", "position", "pk")
    newest, is_quiet = _tide.newest()
    return (due if is_quiet else due.filter(position__lte=newest)).order_by("position", "pk")
