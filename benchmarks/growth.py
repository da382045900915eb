"""Whether the drain holds its rate: with a second process, and with an event in each batch that cannot be processed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from secrets import token_hex

from django.db import connection
from django.db.models import F
from django.utils import timezone

from benchmarks.drain import measure, our_workers
from benchmarks.measure import Figures, NotClean, Size
from benchmarks.world import clear, event_about, ledger_row, make_registrations, settle
from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain
from payments.statuses import EventStatus

ONE, TWO = "one process", "two processes"
CLEAN, MALFORMED, REFUSED = "all well", "one in 100 malformed", "one in 100 refused by the database"
ONE_IN = 100
POISON = "pi_poison"


def variants(size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side."""
    return {
        ONE: partial(measure, partial(our_workers, processes=1), size.events),
        TWO: partial(measure, partial(our_workers, processes=2), size.events),
        # So few that it is over before what has failed is tried again.
        CLEAN: partial(measure_drain, size.bulk // 4),
        MALFORMED: partial(measure_drain, size.bulk // 4, harm=malformed),
        REFUSED: partial(measure_drain, size.bulk // 4, harm=refused),
    }


@contextmanager
def malformed() -> Iterator[None]:
    """Its handler fails."""
    for row in _harmed():
        row.payload["data"]["object"]["amount_total"] = "forty-nine"
        row.save(update_fields=["payload"])
    yield


@contextmanager
def refused() -> Iterator[None]:
    """Handler and fold take it, and PostgreSQL refuses what comes of it."""
    for row in _harmed():
        row.payload["data"]["object"]["payment_intent"] = f"{POISON}{row.pk}"
        row.save(update_fields=["payload"])
    table = "payments_payment"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT no_poison CHECK (key NOT LIKE '{POISON}%%')")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT no_poison")


def _harmed() -> Iterator[PaymentEvent]:
    yield from PaymentEvent.objects.annotate(rest=F("id") % ONE_IN).filter(rest=0)


def measure_drain(count: int, *, harm: Callable[[], object] = nullcontext) -> Figures:
    """In this process; each event pays another order."""
    clear()
    now = timezone.now()
    rows = make_registrations(count, activities=20, at=now, prefix=token_hex(4))
    events = (ledger_row(event_about(row, "checkout.session.completed", at=now), at=now) for row in rows)
    PaymentEvent.objects.bulk_create(events, batch_size=1000)
    with harm():  # type: ignore[attr-defined]
        settle()
        began = time.perf_counter()
        drain()
        spent = time.perf_counter() - began
    failed = PaymentEvent.objects.filter(status=EventStatus.FAILED).count()
    if failed != (0 if harm is nullcontext else count // ONE_IN):
        raise NotClean(f"{failed} have failed")
    return {"rate": count / spent}
