"""What a fact is about: one look-up of all names of a batch, then what the batch itself teaches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from payments.facts import About
from payments.orders.references import Reference

COLUMNS = ("order_id", "subscription_id", "customer_id", "attempt", "payment")


class UnknownOrder(LookupError):
    """The event names one of our ids, but nothing is there (yet)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a name stands for: an order, a subscription or a customer. `payment`: the payment that it belongs to,
    where that has another name: the PaymentIntent of a charge, the invoice of either.
    """

    order_id: int | None = None
    subscription_id: int | None = None
    customer_id: int | None = None
    attempt: int | None = None
    payment: str = ""


@dataclass(slots=True)
class Names:
    """Every name that a batch mentions and we know; `taught` are those that the batch itself taught."""

    known: dict[str, Known] = field(default_factory=dict)
    taught: set[str] = field(default_factory=set)

    def find(self, about: About) -> Known | None:
        """What the first known of its names stands for (see About.names)."""
        return next((self.known[name] for name in about.names() if name in self.known), None)

    def learn(self, about: About, found: Known) -> bool:
        """Take every Stripe id that comes with a known name; True if one of them was new."""
        if found.customer_id is not None:
            return False
        attempt = about.attempt or found.attempt
        fresh = [name for name in about.stripe_names() if name not in self.known]
        for name in fresh:
            self.known[name] = replace(found, attempt=attempt, payment=self._payment_behind(name, about))
        self.taught.update(fresh)
        return bool(fresh)

    def _payment_behind(self, name: str, about: About) -> str:
        """What pays an invoice is part of the invoice's payment; a charge is part of its PaymentIntent's."""
        if name == about.charge:
            return about.invoice or self._payment_of(about.payment_intent) or about.payment_intent
        return about.invoice if name == about.payment_intent else ""

    def payment_of(self, about: About) -> str:
        """The payment that a fact speaks of: its invoice's or its PaymentIntent's, else what its charge belongs to."""
        behind_intent, behind_charge = self._payment_of(about.payment_intent), self._payment_of(about.charge)
        return about.invoice or behind_intent or about.payment_intent or behind_charge or about.charge

    def _payment_of(self, name: str) -> str:
        known = self.known.get(name)
        return known.payment if known else ""

    def order_ids(self) -> set[int]:
        """The orders that are spoken of."""
        return {known.order_id for known in self.known.values() if known.order_id is not None}

    def subscription_ids(self) -> set[int]:
        """The subscriptions that are spoken of."""
        return {known.subscription_id for known in self.known.values() if known.subscription_id is not None}

    def forget_orders_but(self, order_ids: Collection[int]) -> None:
        """Drop what points at orders that are gone."""
        self.known = {
            name: known for name, known in self.known.items() if known.order_id is None or known.order_id in order_ids
        }

    def store(self) -> None:
        """Keep what the batch taught; somebody else may have taught the same at the same time."""
        rows = [_row(name, known) for name in sorted(self.taught) if (known := self.known.get(name))]
        Reference.objects.bulk_create(rows, ignore_conflicts=True)


def _row(name: str, known: Known) -> Reference:
    return Reference(
        name=name,
        order_id=known.order_id,
        subscription_id=known.subscription_id,
        attempt=known.attempt,
        payment=known.payment,
    )


def resolve(abouts: Sequence[About], *, besides: Collection[str] = ()) -> Names:
    """Look up every name in one SELECT, then let the facts teach each other until nothing new comes of it.

    `besides`: names that the facts mention without being about them.
    """
    wanted = {name for about in abouts for name in about.names()} | set(besides)
    rows = Reference.objects.filter(name__in=wanted).values_list("name", *COLUMNS)
    names = Names({name: Known(*columns) for name, *columns in rows})
    while any([names.learn(about, found) for about in abouts if (found := names.find(about))]):
        pass
    return names
