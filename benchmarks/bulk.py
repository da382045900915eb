"""How fast events that are kept are replayed by a run, beside the drain that processes them for the first time.

One process each; the pause that a run makes after each batch, so that fresh deliveries come first, is left out.
"""

import time
from collections.abc import Callable
from functools import partial
from secrets import token_hex

from django.utils import timezone

from benchmarks.measure import Figures, NotClean, Size
from benchmarks.world import clear, event_about, ledger_row, make_registrations, settle
from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain
from payments.processing.models import ReplayState
from payments.processing.replay_runs import PAUSE, Selection, advance_replay, start_run
from payments.statuses import EventStatus

DRAIN, REPLAY = "drain", "replay run"


def variants(size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side."""
    return {DRAIN: partial(first_time, size.bulk), REPLAY: partial(once_more, size.bulk)}


def first_time(count: int) -> Figures:
    """Each event pays another order."""
    fill(count)
    began = time.perf_counter()
    drain()
    return {"rate": _processed(count) / (time.perf_counter() - began)}


def once_more(count: int) -> Figures:
    """The same events, once they have been processed."""
    fill(count)
    drain()
    settle()
    run = start_run(Selection(statuses=(EventStatus.PROCESSED,)), by=None, reason="measured", at=timezone.now())
    at, began = timezone.now(), time.perf_counter()
    while run.state == ReplayState.RUNNING:
        at += PAUSE
        advance_replay(at=at, only=run)
        run.refresh_from_db(fields=["state"])
    spent = time.perf_counter() - began
    return {"rate": _processed(count) / spent}


def fill(count: int) -> None:
    """So many events wait, each about an order of its own."""
    clear()
    now = timezone.now()
    rows = make_registrations(count, activities=20, at=now, prefix=token_hex(4))
    events = (ledger_row(event_about(row, "checkout.session.completed", at=now), at=now) for row in rows)
    PaymentEvent.objects.bulk_create(events, batch_size=1000)
    settle()


def _processed(count: int) -> int:
    """Raises NotClean if there is one that is not."""
    if (done := PaymentEvent.objects.filter(status=EventStatus.PROCESSED).count()) != count:
        raise NotClean(f"{done} of {count} were processed")
    return count
