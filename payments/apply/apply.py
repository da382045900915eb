"""Applies a batch of tellings (a batch of one is the same code): resolve, lock, fold, follow, note."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from payments.apply.batch import Batch, Target
from payments.apply.history import keep_history, log_changes
from payments.apply.money import Taken
from payments.apply.resolve import Known, Names, UnknownOrder
from payments.apply.state import OrderState, OrderStates, SubscriptionStates
from payments.apply.take import take_all
from payments.apply.telling import Applied, Report, Telling
from payments.billing.subscriptions import Subscription
from payments.effects.note import Note, note
from payments.facts import Fact
from payments.guarded import guarded
from payments.ledger.models import UNMATCHED
from payments.orders.followers import follow_subscriptions
from payments.orders.purchasables import Outcome, Question, follow
from payments.orders.questions import keep, questions_of

FOREIGN_SITE = "made by another site"


@transaction.atomic
def apply(tellings: Sequence[Telling], *, at: datetime) -> Report:
    """Fold the tellings into what they name; products follow, questions and effects are noted. Nothing is sent."""
    batch = Batch.lock([fact for telling in tellings if not _is_foreign(telling) for fact in telling.facts])
    applied = [_fold(telling, batch) for telling in tellings]
    moved = _moved(batch, applied)
    taught = batch.save()
    outcome = follow([state.order for state in moved], at=at)
    outcome.add(follow_subscriptions(_moved_subscriptions(batch, applied), at=at))
    keep_history(applied, outcome.changes, at=at)
    keep(_questions(moved, applied, outcome), at=at)
    note(_notes(applied, outcome), at=at)
    return Report(applied, taught)


@transaction.atomic
def follow_again(order_ids: Collection[int], *, source: str, at: datetime) -> None:
    """Let the products look at these orders once more, though nothing was told: something on their side has changed."""
    states = OrderStates.lock(order_ids)
    outcome = follow([states[key].order for key in sorted(states)], at=at)
    keep_history([], outcome.changes, at=at, source=source)
    keep(outcome.questions, at=at)
    note(outcome.notes, at=at)


@transaction.atomic
def follow_subscriptions_again(subscription_ids: Collection[int], *, source: str, at: datetime) -> None:
    """The same for subscriptions: who pays them has an account by now, or a plan opens something else."""
    states = SubscriptionStates.lock(subscription_ids)
    outcome = follow_subscriptions([states[key].row for key in sorted(states)], at=at)
    keep_history([], outcome.changes, at=at, source=source)
    keep(outcome.questions, at=at)
    note(outcome.notes, at=at)


@transaction.atomic
def settle_again(order_id: int, *, source: str, at: datetime) -> list[tuple[str, str, str]]:
    """Work out once more what all that is known of the order means, though nothing was told. Returns what changed."""
    states = OrderStates.lock([order_id])
    written = states.snapshot()
    telling = Telling([], source=source, occurred_at=at)
    applied = [Applied(telling, order_id=key, parts=[_settled(state)]) for key, state in states.items()]
    states.save(written)
    outcome = follow([state.order for state in states.values()], at=at)
    keep_history(applied, outcome.changes, at=at)
    keep(_questions(states.values(), applied, outcome), at=at)
    note(_notes(applied, outcome), at=at)
    return [change for each in applied for change in each.taken.changes]


def _settled(state: OrderState) -> tuple[Target, Taken]:
    known = Known(order_id=state.order.pk)
    return Target(known, []), take_all(state, [], names=Names(), found=known)


def _is_foreign(telling: Telling) -> bool:
    return telling.about.site not in ("", settings.SITE_NAME)


def _fold(telling: Telling, batch: Batch) -> Applied:
    if _is_foreign(telling):
        return Applied(telling, reason=FOREIGN_SITE)
    targets = batch.targets(telling.facts)
    if unknown := _unknown(telling.facts, batch):
        return Applied(telling, error=UnknownOrder(f"nothing here is called {' or '.join(unknown)}"))
    if not targets:
        return Applied(telling, reason=UNMATCHED)
    applied = Applied(telling, order_id=_order_of(targets), subscription_id=_subscription_of(targets))
    parts = guarded(lambda: batch.take(targets, is_anew=telling.is_anew))
    if isinstance(parts, Exception):
        applied.error = parts
        return applied
    applied.parts = parts
    log_changes(applied)
    return applied


def _unknown(facts: Iterable[Fact], batch: Batch) -> tuple[str, ...]:
    """Names of ours that a fact goes by although nothing is known by any of its names."""
    lost = (fact.about.our_names() for fact in facts if batch.names.find(fact.about) is None)
    return next(filter(None, lost), ())


def _order_of(targets: Iterable[Target]) -> int | None:
    return next((target.known.order_id for target in targets if target.known.order_id is not None), None)


def _subscription_of(targets: Iterable[Target]) -> int | None:
    return next((target.known.subscription_id for target in targets if target.known.subscription_id is not None), None)


def _moved(batch: Batch, applied: Iterable[Applied]) -> list[OrderState]:
    """The orders that changed, and those that a replay asks the products to look at again; sorted by id."""
    asked = {each.order_id for each in applied if each.telling.follow_anyway and each.order_id is not None}
    return batch.order_states(batch.changed_orders() | (asked & batch.orders.keys()))


def _moved_subscriptions(batch: Batch, applied: Iterable[Applied]) -> list[Subscription]:
    """The subscriptions that changed, whose customer did, and those of a replay; sorted by id."""
    replayed = (each for each in applied if each.telling.follow_anyway)
    asked = {each.subscription_id for each in replayed if each.subscription_id is not None}
    wanted = batch.changed_subscriptions() | (asked & batch.subscriptions.keys())
    return [batch.subscriptions[key].row for key in sorted(wanted)]


def _questions(moved: Iterable[OrderState], applied: Iterable[Applied], outcome: Outcome) -> Iterable[Question]:
    for state in moved:
        yield from questions_of(state.order, payments=state.payments.values(), sessions=state.sessions())
    for each in applied:
        yield from each.taken.questions
    yield from outcome.questions


def _notes(applied: Iterable[Applied], outcome: Outcome) -> list[Note]:
    return [each_note for each in applied for each_note in each.taken.notes] + outcome.notes
