"""What a batch of the drain costs its process: in a batch of one the fixed price, in a hundred that of an event."""

import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone

from benchmarks.bulk import fill
from benchmarks.measure import Figures, NotClean, Size
from payments.processing.drain import drain_batch

ONE, HUNDRED = "a batch of one", "a batch of a hundred"
BATCHES = 50
# Statements are prepared, templates compiled, what is looked up once is known.
WARM_UP = 5


def variants(_size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side; mails are delivered by another process, so their price is not in it."""
    return {ONE: partial(cost, 1), HUNDRED: partial(cost, 100)}


def cost(size: int) -> Figures:
    """Milliseconds of CPU of this process for one batch of so many events, each of which pays another order."""
    fill(size * (BATCHES + WARM_UP))
    with override_settings(DRAIN_BATCH_SIZE=size):
        for _batch in range(WARM_UP):
            _drain(size)
        began = time.process_time()
        for _batch in range(BATCHES):
            _drain(size)
        spent = time.process_time() - began
    return {"batch_ms": spent * 1000 / BATCHES}


def _drain(size: int) -> None:
    """Raises NotClean where it was not a whole batch."""
    if (done := drain_batch(at=timezone.now())) != size:
        raise NotClean(f"{done} of {size} were claimed (DRAIN_BATCH_SIZE={settings.DRAIN_BATCH_SIZE})")
