"""What an event or a fetched object tells us, in our words: small frozen facts, each naming what it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class About:
    """The names under which we may know the order: Stripe's ids, and ours from the metadata ("" = not told)."""

    session: str = ""
    payment_intent: str = ""
    charge: str = ""
    order: str = ""
    """Our order's public id, from `orderId` in the metadata."""
    registration: str = ""
    """`registrationId` in the metadata: our registration's public id or an imported one."""
    site: str = ""
    """The site that made the Stripe object, from `site` in the metadata."""
    attempt: int | None = None
    """The number of the Checkout session within the order, from `attempt` in the metadata."""

    def our_names(self) -> tuple[str, ...]:
        """Names that we give out: an order must exist behind them. Another product's `orderId` is no UUID."""
        order = (f"order:{self.order}",) if _is_uuid(self.order) else ()
        registration = (f"registration:{self.registration}",) if self.registration else ()
        return order + registration

    def names(self) -> tuple[str, ...]:
        """Every name, the one that decides first: session, then our own ids, then PaymentIntent and charge."""
        candidates = (self.session, *self.our_names(), self.payment_intent, self.charge)
        return tuple(name for name in candidates if name)

    def stripe_names(self) -> tuple[str, ...]:
        """Stripe's ids: what an event may teach us about an order."""
        return tuple(name for name in (self.session, self.payment_intent, self.charge) if name)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try to pay failed. `code`: Stripe's decline code, else its error code; `message` is Stripe's sentence."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class OrderFact:
    """Where the buyer's try stands. Without money: PAID here means settled although nothing was collected."""

    about: About
    status: str
    occurred_at: datetime
    failure: Failure = Failure()
    by_subscription: bool = False
    """PAID because a subscription began: its own invoices tell of the money."""


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """Money of one PaymentIntent. Amounts in minor units; `refunded` is the charge's own running total."""

    about: About
    received: int
    currency: str
    occurred_at: datetime
    refunded: int = 0

    @property
    def key(self) -> str:
        """The payment that it speaks of: the PaymentIntent, or the session where Stripe names none."""
        return self.about.payment_intent or self.about.session or self.about.charge


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One refund (`re_`). `amount` in minor units."""

    about: About
    refund: str
    amount: int
    currency: str
    status: str
    occurred_at: datetime
    reason: str = ""
    failure_reason: str = ""


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """One dispute (`du_`/`dp_`). `amount` in minor units; `due_by` None = nothing can be answered."""

    about: About
    dispute: str
    amount: int
    currency: str
    status: str
    occurred_at: datetime
    reason: str = ""
    due_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Said by a handler that has looked and found nothing to apply: the event is kept and ignored for `reason`."""

    reason: str


Fact = OrderFact | PaymentFact | RefundFact | DisputeFact
Facts = Iterator[Fact | Nothing]


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
