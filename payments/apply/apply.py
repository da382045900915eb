"""The only writer of orders, subscriptions and money: facts in; state, history, questions and effects out.

One transaction for a whole batch (a batch of one is the same code): lock, fold, let the products follow, write down.
A preview is this very code in a transaction that the caller rolls back.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter

import structlog
from django.utils.translation import gettext_noop

from payments.apply.batch import ApplyResult, Batch, BatchResult, FactSet, Target, guarded
from payments.apply.fold import fold_order_facts
from payments.apply.fold_subscription import fold_subscription_facts
from payments.apply.locked_rows import (
    MoneyState,
    OrderState,
    OrderStates,
    SubscriptionState,
    SubscriptionStates,
    mark_days,
)
from payments.apply.owed import questions_of_debts
from payments.apply.references import ClaimedRows, Match, ReferenceMap, UnknownOrder, is_foreign
from payments.billing.fold import questions_of_subscription
from payments.billing.models import Plan
from payments.effects.enqueue import enqueue
from payments.facts import DisputeFact, Fact, OrderFact, RefundFact
from payments.ledger.models import FOREIGN_SITE, UNMATCHED
from payments.orders.fold import questions_of
from payments.orders.models import OrderChange, OrderException
from payments.products import FollowResult, ProductChange, Question, follow_orders, follow_subscriptions
from payments.sql import insert_rows, kept_or_untold, select_rows, update_rows, watched
from payments.statuses import OrderStatus

log = structlog.get_logger(__name__)
CAUSE_GONE = gettext_noop("The cause is gone.")
TOTALS = ("amount_received", "amount_refunded")


@kept_or_untold()
def apply(fact_sets: Sequence[FactSet], *, at: datetime) -> BatchResult:
    """Fold the facts into what they name; products follow, questions and effects are written down. Nothing is sent."""
    batch = Batch.lock([fact for fact_set in fact_sets for fact in fact_set.facts])
    batch.tell_log(fact_sets)
    applied = [_fold(fact_set, batch) for fact_set in fact_sets]
    orders, subscriptions = _orders_to_follow(batch, applied), _subscriptions_to_follow(batch, applied)
    new_references = batch.save()
    followed = follow_orders([state.order for state in orders], at=at)
    followed.add(follow_subscriptions([state.row for state in subscriptions], at=at))
    _write_down(applied, followed, orders=orders, subscriptions=subscriptions, at=at)
    moved: list[MoneyState] = [*orders, *subscriptions]
    # Where something went back or is disputed, news may settle what is owed.
    if payments := {name for state in moved if _has_gone_back(state) for name in state.payments}:
        save_exceptions(questions_of_debts(payments, at=at, is_news=True), at=at)
    return BatchResult(applied, new_references)


def _has_gone_back(state: MoneyState) -> bool:
    """By refunds or disputes, or by nothing but the total of a charge."""
    return bool(state.refunds or state.disputes) or any(payment.refunded for payment in state.payments.values())


@kept_or_untold()
def follow_orders_again(order_ids: Collection[int], *, source: str, at: datetime) -> None:
    """Let the products look at these orders once more, though no fact came: something on their side has changed."""
    states = OrderStates.lock(order_ids)
    followed = follow_orders([states[key].order for key in sorted(states)], at=at)
    _write_down([], followed, at=at, source=source)


@kept_or_untold()
def follow_subscriptions_again(subscription_ids: Collection[int], *, source: str, at: datetime) -> None:
    """Let the products look at these subscriptions once more: whose they are is known by now, or a plan has changed."""
    states = SubscriptionStates.lock(subscription_ids)
    followed = follow_subscriptions([states[key].row for key in sorted(states)], at=at)
    _write_down([], followed, at=at, source=source)


@kept_or_untold()
def recompute_order(order_id: int, *, source: str, at: datetime) -> list[tuple[str, str, str]]:
    """Work out once more what all that is known of the order means, though no fact came. Returns what changed."""
    states = OrderStates.lock([order_id])
    written = states.snapshot()
    fact_set = FactSet([], source=source, occurred_at=at)
    applied = [ApplyResult(fact_set, order_id=key) for key in states]
    for each, state in zip(applied, states.values(), strict=True):
        match = Match(order_id=state.order.pk)
        each.parts = [(Target(match, []), fold_order_facts(state, [], names=ReferenceMap(), match=match))]
    mark_days(states.save(written))
    followed = follow_orders([state.order for state in states.values()], at=at)
    _write_down(applied, followed, orders=states.values(), at=at)
    return [change for each in applied for change in each.folded.changes]


@kept_or_untold()
def recompute_subscription(subscription_id: int, *, source: str, at: datetime) -> list[tuple[str, str, str]]:
    """As `recompute_order`, of a subscription: staff have decided something about its money. Returns what changed."""
    states = SubscriptionStates.lock([subscription_id])
    written = states.snapshot()
    fact_set = FactSet([], source=source, occurred_at=at)
    applied = [ApplyResult(fact_set, subscription_id=key) for key in states]
    for each, state in zip(applied, states.values(), strict=True):
        folded = fold_subscription_facts(state, [], names=ReferenceMap(), claimed=ClaimedRows())
        each.parts = [(Target(Match(subscription_id=state.row.pk), []), folded)]
    mark_days(states.save(written))
    followed = follow_subscriptions([state.row for state in states.values()], at=at)
    _write_down(applied, followed, subscriptions=states.values(), at=at)
    return [change for each in applied for change in each.folded.changes]


# Folding one fact set.


def _fold(fact_set: FactSet, batch: Batch) -> ApplyResult:
    targets = batch.targets(fact_set.facts)
    if is_foreign(fact_set.refs) and all(target.match.customer_id for target in targets):
        return ApplyResult(fact_set, reason=FOREIGN_SITE)
    if unknown := _unknown_names(fact_set.facts, batch):
        return ApplyResult(fact_set, error=UnknownOrder(f"nothing here is called {' or '.join(unknown)}"))
    if not targets:
        return ApplyResult(fact_set, reason=UNMATCHED)
    applied = ApplyResult(
        fact_set,
        order_id=next((target.match.order_id for target in targets if target.match.order_id), None),
        subscription_id=next(
            (target.match.subscription_id for target in targets if target.match.subscription_id), None
        ),
    )
    parts = guarded(lambda: batch.fold(targets, is_full_snapshot=fact_set.is_full_snapshot))
    if isinstance(parts, Exception):
        applied.error = parts
        return applied
    applied.parts = parts
    _log_changes(applied)
    return applied


def _unknown_names(facts: Iterable[Fact], batch: Batch) -> tuple[str, ...]:
    """Names of ours that a fact goes by although nothing is known by any of its names."""
    unknown = (fact.refs.our_references() for fact in facts if batch.names.find(fact.refs) is None)
    return next(filter(None, unknown), ())


# What the products are asked to follow: what moved, and what a replay asks for.


def _orders_to_follow(batch: Batch, applied: Iterable[ApplyResult]) -> list[OrderState]:
    replayed = {each.order_id for each in applied if each.fact_set.follow_always and each.order_id is not None}
    wanted = batch.changed_orders() | (replayed & batch.orders.keys())
    return [batch.orders[key] for key in sorted(wanted)]


def _subscriptions_to_follow(batch: Batch, applied: Iterable[ApplyResult]) -> list[SubscriptionState]:
    replayed = {each.subscription_id for each in applied if each.fact_set.follow_always and each.subscription_id}
    wanted = batch.changed_subscriptions() | (replayed & batch.subscriptions.keys())
    return [batch.subscriptions[key] for key in sorted(wanted)]


# Writing down what came of it.


def _write_down(
    applied: Sequence[ApplyResult], followed: FollowResult, *, at: datetime, orders: Iterable[OrderState] = (),
    subscriptions: Collection[SubscriptionState] = (), source: str = "product",
) -> None:  # fmt: skip
    changes = [row for each in applied for row in _fact_changes(each, at=at)]
    changes += [_product_change(change, source=source, at=at) for change in followed.changes]
    insert_rows(changes)
    if seen := watched():
        seen.changes += [*changes, *_changes_of_people(applied, at=at)]
    questions = [*_questions(orders, applied, followed), *_questions_of_subscriptions(subscriptions)]
    save_exceptions(questions, at=at)
    enqueue([request for each in applied for request in each.folded.effects] + followed.effects, at=at)


def _questions(
    orders: Iterable[OrderState], applied: Iterable[ApplyResult], followed: FollowResult
) -> Iterator[Question]:
    for state in orders:
        yield from questions_of(
            state.order, payments=state.payments.values(), disputes=state.disputes.values(), sessions=state.sessions()
        )
    for each in applied:
        yield from each.folded.questions
    yield from followed.questions


def _questions_of_subscriptions(states: Collection[SubscriptionState]) -> Iterator[Question]:
    ids = {state.row.plan_id for state in states if state.row.plan_id}
    plans = Plan.objects.in_bulk(ids) if ids else {}
    for state in states:
        yield from questions_of_subscription(
            state.row, payments=state.payments.values(), disputes=state.disputes.values(),
            plan=plans.get(state.row.plan_id or 0),
        )  # fmt: skip


def _fact_changes(applied: ApplyResult, *, at: datetime) -> Iterator[OrderChange]:
    """One row for each change; a fact that moved nothing stands in the event's own history only."""
    fact_set = applied.fact_set
    for target, (name, before, after) in _visible_changes(applied):
        if name != "superseded":
            yield OrderChange(
                order_id=target.match.order_id, subscription_id=target.match.subscription_id, field=name[:40],
                before=before, after=after, occurred_at=fact_set.occurred_at, learned_at=at,
                event_id=fact_set.event_id, source=fact_set.source,
            )  # fmt: skip


def _changes_of_people(applied: Iterable[ApplyResult], *, at: datetime) -> Iterator[OrderChange]:
    """For who watches only: what is no part of any history."""
    for each in applied:
        for target, folded in each.parts:
            if target.match.customer_id is not None:
                for name, before, after in folded.changes:
                    yield OrderChange(
                        field=name, before=before, after=after, learned_at=at, source=each.fact_set.source
                    )


def _product_change(change: ProductChange, *, source: str, at: datetime) -> OrderChange:
    return OrderChange(
        order_id=change.order_id, subscription_id=change.subscription_id, field=change.field, before=change.before,
        after=change.after, occurred_at=at, learned_at=at, source=source,
    )  # fmt: skip


def _log_changes(applied: ApplyResult) -> None:
    """One line for each change and each failure, to be found by order, registration, event and request.

    Totals follow from what changed, and stand in its line.
    """
    told = {"request_id": applied.fact_set.request_id, **applied.fact_set.named_in_log()}
    changes = list(_visible_changes(applied))
    totals = {name: after for _target, (name, _before, after) in changes if name in TOTALS}
    for target, (name, before, after) in [each for each in changes if each[1][0] not in TOTALS] or changes:
        reason = {"reason": reason} if (reason := _reason_of(name, target)) else {}
        changed = {"what": name, "before": before, "after": after, **totals}
        log.info(f"{target.noun}.changed", **target.subject, **changed, **reason, **told)
    for target, _folded in applied.parts:
        for fact in target.facts:
            if isinstance(fact, OrderFact) and fact.status == OrderStatus.FAILED:
                log.warning(
                    "payment.failed", **target.subject, payment_intent=fact.refs.payment_intent,
                    charge=fact.refs.charge, reason=fact.failure.words or "not told", **told,
                )  # fmt: skip


def _reason_of(change: str, target: Target) -> str:
    """Why it changed so, as far as Stripe has told: of a payment that failed, a refund, a dispute."""
    for fact in target.facts:
        match fact:
            case OrderFact() if change == "status":
                return fact.failure.words
            case RefundFact() if change == f"refund {fact.refund}":
                return fact.failure_reason or fact.reason
            case DisputeFact() if change == f"dispute {fact.dispute}":
                return fact.reason
    return ""


def _visible_changes(applied: ApplyResult) -> Iterator[tuple[Target, tuple[str, str, str]]]:
    """Who somebody is and where they live is theirs, not part of what they bought: no change of an order."""
    for target, folded in applied.parts:
        if target.match.customer_id is None:
            yield from ((target, change) for change in folded.changes)


# Exceptions: opened, closed when their cause is gone, never deleted.


def save_exceptions(questions: Iterable[Question], *, at: datetime) -> list[OrderException]:
    """Open what is new, turn what changed; what staff have settled stays settled. Returns the rows that changed."""
    wanted = {(str(question.kind), question.subject): question for question in questions}
    if not wanted:
        return []
    rows = select_rows(OrderException, "WHERE subject = ANY(%s)", [[subject for _, subject in wanted]])
    known = {(row.kind, row.subject): row for row in rows if (row.kind, row.subject) in wanted}
    fresh = [
        _new_exception(question, at=at) for key, question in wanted.items() if question.is_open and key not in known
    ]
    moved = [row for key, row in known.items() if row.closed_by_id is None and _takes(row, wanted[key], at=at)]
    insert_rows(sorted(fresh, key=attrgetter("subject")), ignore_conflicts=True)
    update_rows(OrderException, [_exception_state(row) for row in moved])
    if seen := watched():
        seen.questions += fresh + moved
    return fresh + moved


def _new_exception(question: Question, *, at: datetime) -> OrderException:
    return OrderException(
        order_id=question.order_id, subscription_id=question.subscription_id, kind=question.kind,
        subject=question.subject, detail=question.detail[:500], values=dict(question.values), opened_at=at,
    )  # fmt: skip


def _takes(row: OrderException, question: Question, *, at: datetime) -> bool:
    """Bring the row in line with the question as it stands now; False if it says so already."""
    if row.is_open != question.is_open:
        _open_or_close(row, at=at)
    elif not row.is_open or (row.detail, row.values) == (question.detail[:500], question.values):
        return False
    if row.is_open:
        row.detail, row.values = question.detail[:500], dict(question.values)
    return True


def _open_or_close(row: OrderException, *, at: datetime) -> None:
    row.is_open = not row.is_open
    row.closed_at = None if row.is_open else at
    row.closed_reason = "" if row.is_open else CAUSE_GONE


def _exception_state(row: OrderException) -> dict[str, object]:
    return {
        "id": row.pk,
        "is_open": row.is_open,
        "detail": row.detail,
        "values": row.values,
        "closed_at": row.closed_at,
        "closed_reason": row.closed_reason,
    }
