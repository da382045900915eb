"""Applies a batch of tellings (a batch of one is the same code): resolve, lock, fold, follow, note."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction

from payments.apply.batch import ApplyResult, Batch, BatchResult, FactSet, Target
from payments.apply.fold import Folded, fold_order_facts
from payments.apply.locked_rows import OrderState, OrderStates, SubscriptionStates
from payments.apply.references import Match, ReferenceMap, UnknownOrder
from payments.billing.models import Subscription
from payments.effects.enqueue import EffectRequest, enqueue
from payments.facts import Fact
from payments.guarded import guarded
from payments.ledger.models import UNMATCHED
from payments.orders.exceptions import questions_of, save_exceptions
from payments.orders.models import OrderChange
from payments.products import FollowResult, ProductChange, Question, follow, follow_subscriptions

FOREIGN_SITE = "made by another site"


@transaction.atomic
def apply(fact_sets: Sequence[FactSet], *, at: datetime) -> BatchResult:
    """Fold the tellings into what they name; products follow, questions and effects are noted. Nothing is sent."""
    batch = Batch.lock([fact for fact_set in fact_sets if not _is_foreign(fact_set) for fact in fact_set.facts])
    applied = [_fold(fact_set, batch) for fact_set in fact_sets]
    moved = _changed_orders(batch, applied)
    new_references = batch.save()
    outcome = follow([state.order for state in moved], at=at)
    outcome.add(follow_subscriptions(_changed_subscriptions(batch, applied), at=at))
    keep_history(applied, outcome.changes, at=at)
    save_exceptions(_questions(moved, applied, outcome), at=at)
    enqueue(_effects(applied, outcome), at=at)
    return BatchResult(applied, new_references)


@transaction.atomic
def follow_orders_again(order_ids: Collection[int], *, source: str, at: datetime) -> None:
    """Let the products look at these orders once more, though nothing was told: something on their side has changed."""
    states = OrderStates.lock(order_ids)
    outcome = follow([states[key].order for key in sorted(states)], at=at)
    keep_history([], outcome.changes, at=at, source=source)
    save_exceptions(outcome.questions, at=at)
    enqueue(outcome.effects, at=at)


@transaction.atomic
def follow_subscriptions_again(subscription_ids: Collection[int], *, source: str, at: datetime) -> None:
    """The same for subscriptions: who pays them has an account by now, or a plan opens something else."""
    states = SubscriptionStates.lock(subscription_ids)
    outcome = follow_subscriptions([states[key].row for key in sorted(states)], at=at)
    keep_history([], outcome.changes, at=at, source=source)
    save_exceptions(outcome.questions, at=at)
    enqueue(outcome.effects, at=at)


@transaction.atomic
def recompute_order(order_id: int, *, source: str, at: datetime) -> list[tuple[str, str, str]]:
    """Work out once more what all that is known of the order means, though nothing was told. Returns what changed."""
    states = OrderStates.lock([order_id])
    written = states.snapshot()
    fact_set = FactSet([], source=source, occurred_at=at)
    applied = [ApplyResult(fact_set, order_id=key, parts=[_recomputed(state)]) for key, state in states.items()]
    states.save(written)
    outcome = follow([state.order for state in states.values()], at=at)
    keep_history(applied, outcome.changes, at=at)
    save_exceptions(_questions(states.values(), applied, outcome), at=at)
    enqueue(_effects(applied, outcome), at=at)
    return [change for each in applied for change in each.folded.changes]


def _recomputed(state: OrderState) -> tuple[Target, Folded]:
    known = Match(order_id=state.order.pk)
    return Target(known, []), fold_order_facts(state, [], names=ReferenceMap(), found=known)


def _is_foreign(fact_set: FactSet) -> bool:
    return fact_set.refs.site not in ("", settings.SITE_NAME)


def _fold(fact_set: FactSet, batch: Batch) -> ApplyResult:
    if _is_foreign(fact_set):
        return ApplyResult(fact_set, reason=FOREIGN_SITE)
    targets = batch.targets(fact_set.facts)
    if unknown := _unknown(fact_set.facts, batch):
        return ApplyResult(fact_set, error=UnknownOrder(f"nothing here is called {' or '.join(unknown)}"))
    if not targets:
        return ApplyResult(fact_set, reason=UNMATCHED)
    applied = ApplyResult(fact_set, order_id=_order_of(targets), subscription_id=_subscription_of(targets))
    parts = guarded(lambda: batch.fold(targets, is_full_snapshot=fact_set.is_full_snapshot))
    if isinstance(parts, Exception):
        applied.error = parts
        return applied
    applied.parts = parts
    log_changes(applied)
    return applied


def _unknown(facts: Iterable[Fact], batch: Batch) -> tuple[str, ...]:
    """Names of ours that a fact goes by although nothing is known by any of its names."""
    lost = (fact.refs.our_references() for fact in facts if batch.names.find(fact.refs) is None)
    return next(filter(None, lost), ())


def _order_of(targets: Iterable[Target]) -> int | None:
    return next((target.known.order_id for target in targets if target.known.order_id is not None), None)


def _subscription_of(targets: Iterable[Target]) -> int | None:
    return next((target.known.subscription_id for target in targets if target.known.subscription_id is not None), None)


def _changed_orders(batch: Batch, applied: Iterable[ApplyResult]) -> list[OrderState]:
    """The orders that changed, and those that a replay asks the products to look at again; sorted by id."""
    asked = {each.order_id for each in applied if each.fact_set.follow_always and each.order_id is not None}
    return batch.order_states(batch.changed_orders() | (asked & batch.orders.keys()))


def _changed_subscriptions(batch: Batch, applied: Iterable[ApplyResult]) -> list[Subscription]:
    """The subscriptions that changed, whose customer did, and those of a replay; sorted by id."""
    replayed = (each for each in applied if each.fact_set.follow_always)
    asked = {each.subscription_id for each in replayed if each.subscription_id is not None}
    wanted = batch.changed_subscriptions() | (asked & batch.subscriptions.keys())
    return [batch.subscriptions[key].row for key in sorted(wanted)]


def _questions(
    moved: Iterable[OrderState], applied: Iterable[ApplyResult], outcome: FollowResult
) -> Iterable[Question]:
    for state in moved:
        yield from questions_of(state.order, payments=state.payments.values(), sessions=state.sessions())
    for each in applied:
        yield from each.folded.questions
    yield from outcome.questions


def _effects(applied: Iterable[ApplyResult], outcome: FollowResult) -> list[EffectRequest]:
    return [each_note for each in applied for each_note in each.folded.effects] + outcome.effects


log = structlog.get_logger(__name__)


def keep_history(
    applied: Iterable[ApplyResult], products: Iterable[ProductChange], *, at: datetime, source: str = "product"
) -> None:
    """One row for each change; a fact that moved nothing stands in the event's own history only."""
    rows = [row for each in applied for row in _rows(each, at=at)]
    rows += [
        OrderChange(
            order_id=change.order_id, subscription_id=change.subscription_id, field=change.field, before=change.before,
            after=change.after, occurred_at=at, learned_at=at, source=source,
        )
        for change in products
    ]  # fmt: skip
    OrderChange.objects.bulk_create(rows)


def _rows(each: ApplyResult, *, at: datetime) -> Iterator[OrderChange]:
    for target, folded in each.parts:
        known = target.known
        if known.customer_id is not None:
            # Who somebody is and where they live is theirs, not part of what they bought.
            continue
        for name, before, after in folded.changes:
            if name != "superseded":
                yield OrderChange(
                    order_id=known.order_id, subscription_id=known.subscription_id, field=name[:40], before=before,
                    after=after, occurred_at=each.fact_set.occurred_at, learned_at=at, event_id=each.fact_set.event_id,
                    source=each.fact_set.source,
                )  # fmt: skip


def log_changes(each: ApplyResult) -> None:
    """One line for each change, to be found by order, subscription, event and request."""
    for target, folded in each.parts:
        known = target.known
        if known.customer_id is not None:
            continue
        kind = "order" if known.order_id is not None else "subscription"
        for name, before, after in folded.changes:
            log.info(
                f"{kind}.changed", **{kind: known.order_id or known.subscription_id}, what=name, before=before,
                after=after, stripe_event=each.fact_set.source, request_id=each.fact_set.request_id,
            )  # fmt: skip
