"""The clean-up: orders whose time is over are settled, the oldest first, by any number of workers at once."""

import random
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import connection, transaction

from payments.apply.batch import guarded
from payments.cleanup.closing import WaitingOrder, overdue
from payments.cleanup.decide import CHANGED, Decision, OverdueOrder, Verdict
from payments.stripe_api.lookups import ThrottledStripe

__all__ = ["Decision", "Summary", "Verdict", "clean_up", "clean_up_order"]

log = structlog.get_logger(__name__)
BATCH_SIZE = 100
# At ten calls a second and two for an order this ends before the timetable begins the next one.
MAX_ORDERS_PER_RUN = 1000
# Stripe is down, or does not take our key: the rest waits for the next run.
MAX_UNANSWERED_IN_A_ROW = 3


@dataclass(slots=True)
class Summary:
    """What one run did. `decisions` in the order in which they were taken, without what somebody else settled."""

    is_dry_run: bool = False
    is_cut_short: bool = False
    decisions: list[Decision] = field(default_factory=list)
    new_references: set[str] = field(default_factory=set)

    def count(self, verdict: Verdict) -> int:
        return sum(decision.verdict == verdict for decision in self.decisions)

    @property
    def counts(self) -> dict[str, int]:
        """For logs and people: `cleaned` are the orders that were closed."""
        return {
            "found": len(self.decisions),
            "cleaned": self.count(Verdict.CLOSED),
            "confirmed": self.count(Verdict.CONFIRMED),
            "kept": self.count(Verdict.KEPT),
            "errors": self.count(Verdict.ERROR),
        }


def clean_up(
    *, at: datetime, dry_run: bool = False, limit: int = MAX_ORDERS_PER_RUN, stripe: ThrottledStripe | None = None
) -> Summary:
    """Settle the orders whose time is over, `limit` at most. Not to be called inside a transaction.

    Whatever goes wrong with one order costs only that one; raises django.db errors when the database is away.
    """
    log.info("cleanup.started", dry_run=dry_run)
    summary = Summary(is_dry_run=dry_run)
    stripe = stripe or ThrottledStripe()
    seen: set[int] = set()
    while len(seen) < limit and not summary.is_cut_short:
        batch = _batch(at=at, exclude=seen, most=min(BATCH_SIZE, limit - len(seen)))
        if not batch:
            break
        seen.update(batch)
        _decide_batch(batch, summary, at=at, stripe=stripe)
    log.info("cleanup.done", dry_run=dry_run, cut_short=summary.is_cut_short, **summary.counts)
    return summary


def clean_up_order(
    *, order_id: int, at: datetime, dry_run: bool = False, stripe: ThrottledStripe | None = None
) -> Decision:
    """Settle one order if its time is over: paid → confirmed, nobody can pay → closed, anything else → kept.

    Stripe is asked first. Skipped where somebody else is about to change the order. Safe to call again and by many
    at once. Raises what Stripe tells and nobody understands (MalformedObject, Untold).
    """
    waiting = _claim(order_id, at=at)
    if waiting is None:
        return Decision(order_id, Verdict.SKIPPED, CHANGED)
    return OverdueOrder(waiting, at, stripe or ThrottledStripe(), is_dry_run=dry_run).decide()


def _batch(*, at: datetime, exclude: set[int], most: int) -> list[int]:
    """The next orders by age, shuffled: two workers begin with different ones and find the other's work done."""
    order_ids = list(overdue(at=at).exclude(pk__in=exclude).values_list("pk", flat=True)[:most])
    random.shuffle(order_ids)
    return order_ids


def _decide_batch(order_ids: list[int], summary: Summary, *, at: datetime, stripe: ThrottledStripe) -> None:
    unanswered = 0
    for order_id in order_ids:
        decision = _decided(order_id, at=at, dry_run=summary.is_dry_run, stripe=stripe)
        if decision.verdict == Verdict.SKIPPED:
            continue
        _log(decision, dry_run=summary.is_dry_run)
        summary.decisions.append(decision)
        summary.new_references |= decision.new_references
        unanswered = unanswered + 1 if decision.is_unanswered else 0
        if unanswered == MAX_UNANSWERED_IN_A_ROW:
            summary.is_cut_short = True
            return


def _decided(order_id: int, *, at: datetime, dry_run: bool, stripe: ThrottledStripe) -> Decision:
    # Each of its steps is a transaction of its own, so nothing is spoiled by one that fails.
    result = guarded(lambda: clean_up_order(order_id=order_id, at=at, dry_run=dry_run, stripe=stripe))
    if isinstance(result, Decision):
        return result
    if not connection.is_usable():
        raise result
    log.error("cleanup.failed", order=order_id, exc_info=result)
    return Decision(order_id, Verdict.ERROR, f"{type(result).__name__}: {result}")


@transaction.atomic(durable=True)
def _claim(order_id: int, *, at: datetime) -> WaitingOrder | None:
    """The order as it stands, if it is still overdue and nobody is changing it at this moment."""
    rows = overdue(at=at).filter(pk=order_id).select_for_update(skip_locked=True, no_key=True, of=("self",))
    order = rows.first()
    return WaitingOrder.of(order) if order else None


def _log(decision: Decision, *, dry_run: bool) -> None:
    log.info(
        "cleanup.order", order=decision.order_id, decision=str(decision.verdict), reason=decision.reason,
        answer=decision.answer, dry_run=dry_run,
    )  # fmt: skip
