"""What goes into `apply` and what comes out; between them one batch in memory, locked and written together."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from payments.apply.fold import (
    CUSTOMER_STATE,
    Folded,
    fold_customer_facts,
    fold_order_facts,
)
from payments.apply.fold_subscription import fold_subscription_facts
from payments.apply.locked_rows import (
    OrderStates,
    SubscriptionStates,
    Written,
    days_of_payments,
    lock_customers,
    mark_days,
    subscriptions_without_account,
    values_of,
)
from payments.apply.references import ClaimedRows, Match, ReferenceMap, claim_rows, resolve
from payments.billing.models import Customer
from payments.billing.subscribers import join_confirmed
from payments.facts import Fact, ObjectRefs, SubscriptionFact, SubscriptionStartedFact, canonical_uuid
from payments.names import ORDER, REGISTRATION
from payments.sql import prepared, tell_about, update_rows

Result = TypeVar("Result")
REGISTRATION_NAMES = """
    SELECT order_id, name FROM payments_reference WHERE order_id = ANY(%s) AND name LIKE %s ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class FactSet:
    """What one event, or one look at Stripe, says: facts about one thing, who said so, and when it happened (UTC)."""

    facts: Sequence[Fact]
    source: str
    occurred_at: datetime
    event_id: int | None = None
    request_id: str = ""
    follow_always: bool = False
    """Let the product follow even if the order did not move: what a replay is for."""
    is_full_snapshot: bool = False
    """All that Stripe knows: it replaces what was known of what it speaks of (payments.apply.full_refresh)."""

    @property
    def refs(self) -> ObjectRefs:
        return self.facts[0].refs

    def named_in_log(self) -> dict[str, str]:
        """The event that says so, or else who does."""
        return {"stripe_event" if self.event_id else "source": self.source}


@dataclass(frozen=True, slots=True)
class Target:
    """What some facts of one set are about, and those facts."""

    match: Match
    facts: list[Fact]

    @property
    def noun(self) -> str:
        return "order" if self.match.order_id is not None else "subscription"

    @property
    def subject(self) -> dict[str, int | None]:
        """As log lines name it."""
        return {self.noun: self.match.order_id or self.match.subscription_id}


@dataclass(slots=True)
class ApplyResult:
    """What became of one fact set: folded as `parts` say, ignored for `reason`, or refused with `error`."""

    fact_set: FactSet
    reason: str = ""
    error: Exception | None = None
    parts: list[tuple[Target, Folded]] = field(default_factory=list)
    order_id: int | None = None
    subscription_id: int | None = None

    @property
    def folded(self) -> Folded:
        """All that was brought about, whatever it was about."""
        total = Folded()
        for _target, folded in self.parts:
            total.add(folded)
        return total


@dataclass(slots=True)
class BatchResult:
    """What became of each fact set, in their order, and the references that are new."""

    applied: list[ApplyResult]
    new_references: set[str]


@dataclass(slots=True)
class Batch:
    """The locked rows of one batch, how each was read, and the names that lead to them."""

    names: ReferenceMap
    claimed: ClaimedRows
    orders: OrderStates
    subscriptions: SubscriptionStates
    customers: dict[int, Customer]
    written: Written
    written_subscriptions: Written
    written_customers: dict[int, dict[str, object]]

    @classmethod
    def lock(cls, facts: Sequence[Fact]) -> "Batch":
        """Find what the facts are about and lock it: orders, subscriptions, customers, each sorted by id."""
        claimed = claim_rows(facts)
        names = resolve(list(dict.fromkeys(fact.refs for fact in facts)), also=set(_starting_orders(facts)))
        orders = OrderStates.lock(names.order_ids())
        names.keep_orders(orders)
        claimed.plans_of_orders = {key: state.order.plan_id for key, state in orders.items()}
        subscriptions = SubscriptionStates.lock(names.subscription_ids() | subscriptions_without_account(facts))
        customers = lock_customers(facts)
        before = {key: values_of(row, CUSTOMER_STATE) for key, row in customers.items()}
        return cls(
            names, claimed, orders, subscriptions, customers, orders.snapshot(), subscriptions.snapshot(), before
        )

    def targets(self, facts: Iterable[Fact]) -> list[Target]:
        """What the facts of one set are about, in their order; facts about nothing that we know are left out."""
        found: dict[tuple[int | None, ...], Target] = {}
        for fact in facts:
            if match := self.names.find(fact.refs):
                ids = (match.order_id, match.subscription_id, match.customer_id)
                found.setdefault(ids, Target(match, [])).facts.append(fact)
        return list(found.values())

    def tell_log(self, fact_sets: Iterable[FactSet]) -> None:
        """What every line about an order or a subscription in hand says beside: its names, and who brought the news."""
        registrations = registrations_of(self.orders)
        for key in self.orders:
            tell_about("order", key, registration=registrations.get(key))
        for pk, state in self.subscriptions.items():
            tell_about("subscription", pk, stripe_subscription=state.row.stripe_id, order=state.row.order_id)
        for fact_set in fact_sets:
            for target in self.targets(fact_set.facts):
                for noun, subject in target.subject.items():
                    tell_about(noun, subject, **fact_set.named_in_log(), request_id=fact_set.request_id)

    def fold(self, targets: Iterable[Target], *, is_full_snapshot: bool) -> list[tuple[Target, Folded]]:
        """Fold all facts of one set. Raises what one of them is refused with."""
        return [(target, self._fold_target(target, is_full_snapshot=is_full_snapshot)) for target in targets]

    def _fold_target(self, target: Target, *, is_full_snapshot: bool) -> Folded:
        match, facts = target.match, target.facts
        if match.order_id is not None:
            order = self.orders[match.order_id]
            return fold_order_facts(order, facts, names=self.names, match=match, is_full_snapshot=is_full_snapshot)
        if match.subscription_id is not None:
            subscription = self.subscriptions[match.subscription_id]
            return fold_subscription_facts(
                subscription, facts, names=self.names, claimed=self.claimed, is_full_snapshot=is_full_snapshot
            )
        return fold_customer_facts(self.customers.get(match.customer_id or 0), facts, is_full_snapshot=is_full_snapshot)

    def changed_orders(self) -> set[int]:
        """The orders of which anything, be it a payment's name, differs from what was read."""
        return self.orders.changed(self.written)

    def changed_subscriptions(self) -> set[int]:
        """The subscriptions of which anything differs, and those whose customer may have found their account."""
        joined = {key for key, state in self.subscriptions.items() if state.row.customer_id in self.customers}
        return joined | self.subscriptions.changed(self.written_subscriptions)

    def save(self) -> set[str]:
        """Write what moved, and the references that are new. Returns these."""
        days = self.orders.save(self.written) | self.subscriptions.save(self.written_subscriptions)
        if self.customers:
            days |= self._save_customers()
        mark_days(days)
        self.names.store()
        return self.names.new_references | self.claimed.new_references

    def _save_customers(self) -> set[date]:
        people = {key: values_of(row, CUSTOMER_STATE) for key, row in self.customers.items()}
        moved = [{"id": key, **values} for key, values in people.items() if values != self.written_customers[key]]
        update_rows(Customer, moved)
        join_confirmed([values["id"] for values in moved])
        return days_of_payments([key for key, row in people.items() if row["city"] != self._city_before(key)])

    def _city_before(self, key: int) -> object:
        return self.written_customers[key]["city"]


def _starting_orders(facts: Iterable[Fact]) -> Iterator[str]:
    """The orders that began the subscriptions of which these facts tell."""
    for fact in facts:
        if isinstance(fact, SubscriptionFact | SubscriptionStartedFact) and fact.order:
            yield f"{ORDER}{fact.order}"


def registrations_of(order_ids: Collection[int]) -> dict[int, str]:
    """The registration of each order that has one, by the order: our own public id, else the id of an old system."""
    if not order_ids:
        return {}
    found: dict[int, str] = {}
    for order_id, reference in prepared(REGISTRATION_NAMES, [list(order_ids), f"{REGISTRATION}%"]):
        name = reference.removeprefix(REGISTRATION)
        if order_id not in found or canonical_uuid(name):
            found[order_id] = name
    return found


def guarded(function: Callable[[], Result]) -> Result | Exception:
    """What the function returns, or what it raised. Not for database work: a failed statement spoils the rest."""
    try:
        return function()
    except Exception as error:  # noqa: BLE001 - one bad event must cost only itself
        return error
