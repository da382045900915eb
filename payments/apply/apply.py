"""Applies a batch of tellings (a batch of one is the same code): resolve, lock, fold, follow, note."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction

from payments.apply.resolve import Names, UnknownOrder, resolve
from payments.apply.state import OrderState, States
from payments.apply.take import Taken, take_all
from payments.effects.note import Note, note
from payments.facts import About, Fact
from payments.guarded import guarded
from payments.ledger.models import UNMATCHED
from payments.orders.models import Order, OrderChange
from payments.orders.purchasables import Outcome, ProductChange, Question, follow
from payments.orders.questions import keep, questions_of

log = structlog.get_logger(__name__)
FOREIGN_SITE = "made by another site"


@dataclass(frozen=True, slots=True)
class Telling:
    """What one event (or one look at Stripe) tells: facts about one thing, by whom, and when it happened."""

    facts: Sequence[Fact]
    source: str
    occurred_at: datetime
    event_id: int | None = None
    request_id: str = ""
    follow_anyway: bool = False
    """Let the product follow even if the order did not move: what a replay is for."""

    @property
    def about(self) -> About:
        return self.facts[0].about


@dataclass(slots=True)
class Applied:
    """What became of one telling: applied to `order_id`, ignored for `reason`, or refused with `error`."""

    telling: Telling
    order_id: int | None = None
    reason: str = ""
    error: Exception | None = None
    taken: Taken = field(default_factory=Taken)


@dataclass(slots=True)
class Report:
    """What became of each telling, in their order, and the names that were new."""

    applied: list[Applied]
    taught: set[str]


@transaction.atomic
def apply(tellings: Sequence[Telling], *, at: datetime) -> Report:
    """Fold the tellings into what they name; products follow, questions and effects are noted. Nothing is sent."""
    names = resolve([telling.about for telling in tellings if not _is_foreign(telling)])
    states = States.lock({known.order_id for known in names.known.values()})
    names.forget_orders_but(states)
    written = states.snapshot()
    applied = [_fold(telling, names=names, states=states) for telling in tellings]
    moved = _moved(states, applied, changed=states.changed(written))
    states.save(written)
    names.store()
    outcome = follow([state.order for state in moved], at=at)
    _keep_history(applied, outcome.changes, at=at)
    keep(_questions(moved, applied, outcome), at=at)
    note(_notes(applied, outcome), at=at)
    return Report(applied, names.taught)


@transaction.atomic
def follow_again(order_ids: Collection[int], *, source: str, at: datetime) -> None:
    """Let the products look at these orders once more, though nothing was told: something on their side has changed."""
    states = States.lock(order_ids)
    outcome = follow([states[key].order for key in sorted(states)], at=at)
    _keep_history([], outcome.changes, at=at, source=source)
    keep(outcome.questions, at=at)
    note(outcome.notes, at=at)


def _is_foreign(telling: Telling) -> bool:
    return telling.about.site not in ("", settings.SITE_NAME)


def _fold(telling: Telling, *, names: Names, states: States) -> Applied:
    if _is_foreign(telling):
        return Applied(telling, reason=FOREIGN_SITE)
    found = names.find(telling.about)
    if found is None:
        return _not_found(telling)
    taken = guarded(lambda: take_all(states[found.order_id], telling.facts, names=names, found=found))
    if isinstance(taken, Exception):
        return Applied(telling, order_id=found.order_id, error=taken)
    _log_changes(states[found.order_id].order, telling, taken)
    return Applied(telling, order_id=found.order_id, taken=taken)


def _not_found(telling: Telling) -> Applied:
    if ours := telling.about.our_names():
        return Applied(telling, error=UnknownOrder(f"nothing here is called {' or '.join(ours)}"))
    return Applied(telling, reason=UNMATCHED)


def _moved(states: States, applied: Iterable[Applied], *, changed: set[int]) -> list[OrderState]:
    """The orders that changed, and those that a replay asks the products to look at again; sorted by id."""
    asked = {each.order_id for each in applied if each.telling.follow_anyway}
    return [states[key] for key in sorted(states) if key in changed or key in asked]


def _questions(moved: Iterable[OrderState], applied: Iterable[Applied], outcome: Outcome) -> Iterable[Question]:
    for state in moved:
        yield from questions_of(state.order, payments=state.payments.values(), sessions=state.sessions())
    for each in applied:
        yield from each.taken.questions
    yield from outcome.questions


def _notes(applied: Iterable[Applied], outcome: Outcome) -> list[Note]:
    return [each_note for each in applied for each_note in each.taken.notes] + outcome.notes


def _keep_history(
    applied: Iterable[Applied], products: Iterable[ProductChange], *, at: datetime, source: str = "product"
) -> None:
    """One row for each change; a fact that moved nothing stands in the event's own history only."""
    rows = [
        OrderChange(
            order_id=each.order_id, field=name, before=before, after=after, occurred_at=each.telling.occurred_at,
            learned_at=at, event_id=each.telling.event_id, source=each.telling.source,
        )
        for each in applied
        if each.order_id
        for name, before, after in each.taken.changes
        if name != "superseded"
    ]  # fmt: skip
    rows += [
        OrderChange(
            order_id=change.order_id, field=change.field, before=change.before, after=change.after, occurred_at=at,
            learned_at=at, source=source,
        )
        for change in products
    ]  # fmt: skip
    OrderChange.objects.bulk_create(rows)


def _log_changes(order: Order, telling: Telling, taken: Taken) -> None:
    for name, before, after in taken.changes:
        log.info(
            "order.changed", order=order.pk, what=name, before=before, after=after, stripe_event=telling.source,
            request_id=telling.request_id,
        )  # fmt: skip
