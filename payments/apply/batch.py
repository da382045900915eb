"""One batch in memory: everything that its facts may move, found, locked, and written back together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from payments.apply.adopt import Adopted, adopt
from payments.apply.money import Taken
from payments.apply.resolve import Known, Names, resolve
from payments.apply.rows import Written, values_of
from payments.apply.state import OrderState, OrderStates, SubscriptionStates
from payments.apply.take import take_all
from payments.apply.take_customer import CUSTOMER_STATE, lock_customers, subscriptions_of_strangers, take_customer
from payments.apply.take_subscription import take_of_subscription
from payments.billing.joining import join_confirmed
from payments.billing.subscriptions import Customer
from payments.facts import BeganFact, Fact, SubscriptionFact
from payments.sql import update_rows


@dataclass(frozen=True, slots=True)
class Target:
    """What some facts of one event are about, and those facts. One of the three ids is set."""

    known: Known
    facts: list[Fact]


@dataclass(slots=True)
class Batch:
    """The locked rows of one batch, and the names that lead to them."""

    names: Names
    adopted: Adopted
    orders: OrderStates
    subscriptions: SubscriptionStates
    customers: dict[int, Customer]
    written: Written
    written_subscriptions: Written
    written_customers: dict[int, dict[str, object]]

    @classmethod
    def lock(cls, facts: Sequence[Fact]) -> "Batch":
        """Find what the facts are about and lock it: orders, subscriptions, customers, each sorted by id."""
        adopted = adopt(facts)
        names = resolve(list(dict.fromkeys(fact.about for fact in facts)), besides=set(_orders_behind(facts)))
        orders = OrderStates.lock(names.order_ids())
        names.forget_orders_but(orders)
        subscriptions = SubscriptionStates.lock(names.subscription_ids() | subscriptions_of_strangers(facts))
        customers = lock_customers(facts)
        before = {key: values_of(row, CUSTOMER_STATE) for key, row in customers.items()}
        return cls(
            names, adopted, orders, subscriptions, customers, orders.snapshot(), subscriptions.snapshot(), before
        )

    def targets(self, facts: Iterable[Fact]) -> list[Target]:
        """What the facts of one event are about, in their order; facts about nothing that we know are left out."""
        found: dict[tuple[int | None, ...], Target] = {}
        for fact in facts:
            if known := self.names.find(fact.about):
                ids = (known.order_id, known.subscription_id, known.customer_id)
                found.setdefault(ids, Target(known, [])).facts.append(fact)
        return list(found.values())

    def take(self, targets: Iterable[Target], *, is_anew: bool) -> list[tuple[Target, Taken]]:
        """Take all facts of one event. Raises what one of them is refused with."""
        return [(target, self._take(target, is_anew=is_anew)) for target in targets]

    def _take(self, target: Target, *, is_anew: bool) -> Taken:
        known, facts = target.known, target.facts
        if known.order_id is not None:
            return take_all(self.orders[known.order_id], facts, names=self.names, found=known, is_anew=is_anew)
        if known.subscription_id is not None:
            state = self.subscriptions[known.subscription_id]
            return take_of_subscription(state, facts, names=self.names, adopted=self.adopted, is_anew=is_anew)
        return take_customer(self.customers.get(known.customer_id or 0), facts, is_anew=is_anew)

    def changed_orders(self) -> set[int]:
        """The orders of which anything, be it a payment's name, differs from what was read."""
        return self.orders.changed(self.written)

    def changed_subscriptions(self) -> set[int]:
        """The same for subscriptions, and those whose customer may have found their account."""
        joined = {key for key, state in self.subscriptions.items() if state.row.customer_id in self.customers}
        return joined | self.subscriptions.changed(self.written_subscriptions)

    def save(self) -> set[str]:
        """Write what moved, and the names that are new. Returns these."""
        self.orders.save(self.written)
        self.subscriptions.save(self.written_subscriptions)
        people = {key: values_of(row, CUSTOMER_STATE) for key, row in self.customers.items()}
        moved = [{"id": key, **values} for key, values in people.items() if values != self.written_customers[key]]
        update_rows(Customer, moved)
        join_confirmed([values["id"] for values in moved])
        self.names.store()
        return self.names.taught | self.adopted.taught

    def order_states(self, ids: Iterable[int]) -> list[OrderState]:
        """These orders, sorted by id."""
        return [self.orders[key] for key in sorted(ids)]


def _orders_behind(facts: Iterable[Fact]) -> Iterator[str]:
    """The orders that began the subscriptions of which these facts tell."""
    for fact in facts:
        if isinstance(fact, SubscriptionFact | BeganFact) and fact.order:
            yield f"order:{fact.order}"
