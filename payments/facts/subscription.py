"""Facts about a person and what they subscribe to. Amounts in minor units, for one period."""

from dataclasses import dataclass
from datetime import datetime

from payments.facts.about import About


@dataclass(frozen=True, slots=True)
class CustomerFact:
    """A person as Stripe knows them; what is "" was not told. `about` names the customer and nothing else."""

    about: About
    occurred_at: datetime
    email: str = ""
    name: str = ""
    city: str = ""
    country: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a subscription costs: `amount` in minor units for one period of `interval_count` intervals."""

    price: str = ""
    amount: int = 0
    currency: str = ""
    interval: str = ""
    interval_count: int = 1
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class SubscriptionFact:
    """A whole subscription as it was at `occurred_at`. `about` names it and its customer.

    `cancel_at`: when it is going to end, whatever way that was asked for. `order`: public id of the order whose
    Checkout began it; `plan`: our plan's slug; both from the metadata, "" where they are not told.
    """

    about: About
    status: str
    occurred_at: datetime
    terms: Terms = Terms()
    started_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    order: str = ""
    plan: str = ""
    is_birth: bool = False
    """Told by `created`: whatever else is told of the same second came after it."""

    @property
    def price(self) -> str:
        """The price at Stripe, by which a subscription of ours is known when nothing else tells."""
        return self.terms.price


@dataclass(frozen=True, slots=True)
class BeganFact:
    """A Checkout session has begun a subscription: which one, whose, with which first invoice, for which order."""

    about: About
    order: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceFact:
    """An invoice of a subscription: its money, never the subscription's state. Amounts in minor units.

    `about` names subscription and invoice, and what pays it as far as that was told. `paid_at` None: not paid (yet).
    `period_end`: until when the subscription is paid by it; None for a proration. `off_stripe`: the part of `received`
    that came by another way.
    """

    about: About
    status: str
    occurred_at: datetime
    received: int = 0
    currency: str = ""
    paid_at: datetime | None = None
    period_end: datetime | None = None
    off_stripe: int = 0
    price: str = ""


@dataclass(frozen=True, slots=True)
class LinkFact:
    """Which payment pays which invoice (`about` names both, perhaps not the subscription)."""

    about: About
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class AppealFact:
    """Something about a subscription that asks for a message: `kind` is `payment_failed`, `action_required`,
    `finalization_failed` or `trial_will_end`. `next_try_at` None: Stripe will not try again by itself.
    """

    about: About
    kind: str
    occurred_at: datetime
    next_try_at: datetime | None = None
    reason: str = ""
