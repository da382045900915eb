"""Which order a fact is about: one look-up of all names of a batch, then what the batch itself teaches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from payments.facts import About
from payments.orders.models import Reference


class UnknownOrder(LookupError):
    """The event names one of our ids, but nothing is there (yet)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a name stands for. `payment`: for a charge, the payment that it belongs to."""

    order_id: int
    attempt: int | None = None
    payment: str = ""


@dataclass(slots=True)
class Names:
    """Every name that a batch mentions and we know; `taught` are those that the batch itself taught."""

    known: dict[str, Known] = field(default_factory=dict)
    taught: set[str] = field(default_factory=set)

    def find(self, about: About) -> Known | None:
        """The order that the first known of its names stands for (session, our ids, PaymentIntent, charge)."""
        return next((self.known[name] for name in about.names() if name in self.known), None)

    def learn(self, about: About, found: Known) -> bool:
        """Take every Stripe id that comes with a known name; True if one of them was new."""
        attempt = about.attempt or found.attempt
        fresh = [name for name in about.stripe_names() if name not in self.known]
        for name in fresh:
            payment = about.payment_intent if name == about.charge else ""
            self.known[name] = Known(found.order_id, attempt, payment)
        self.taught.update(fresh)
        return bool(fresh)

    def payment_of(self, about: About) -> str:
        """The payment that a refund or dispute speaks of: its PaymentIntent, else what its charge belongs to."""
        charge = self.known.get(about.charge)
        return about.payment_intent or (charge.payment if charge else "") or about.charge

    def forget_orders_but(self, order_ids: Collection[int]) -> None:
        """Drop what points at orders that are gone."""
        self.known = {name: known for name, known in self.known.items() if known.order_id in order_ids}

    def store(self) -> None:
        """Keep what the batch taught; somebody else may have taught the same at the same time."""
        rows = [
            Reference(name=name, order_id=known.order_id, attempt=known.attempt, payment=known.payment)
            for name in sorted(self.taught)
            if (known := self.known.get(name))
        ]
        Reference.objects.bulk_create(rows, ignore_conflicts=True)


def resolve(abouts: Sequence[About]) -> Names:
    """Look up every name in one SELECT, then let the facts teach each other until nothing new comes of it."""
    wanted = {name for about in abouts for name in about.names()}
    rows = Reference.objects.filter(name__in=wanted).values_list("name", "order_id", "attempt", "payment")
    names = Names({name: Known(order_id, attempt, payment) for name, order_id, attempt, payment in rows})
    while any([names.learn(about, found) for about in abouts if (found := names.find(about))]):
        pass
    return names
