"""Facts about one order: the buyer's tries, its money, refunds and disputes. Amounts in minor units."""

from dataclasses import dataclass
from datetime import datetime

from payments.facts.about import About


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
class BuyerFact:
    """Where the buyer of an order lives, as they told Checkout: a city, and a country by its ISO code."""

    about: About
    city: str
    country: str
    occurred_at: datetime
