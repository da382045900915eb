"""What an event or a fetched object says, in our words: small frozen facts, each naming what it is about.

Amounts are in minor units of the currency beside them; moments are UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from payments.names import ORDER, REGISTRATION
from payments.statuses import OrderStatus

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ObjectRefs:
    """The names under which we may know the order: Stripe's ids, and ours from the metadata ("" = not told)."""

    session: str = ""
    payment_intent: str = ""
    charge: str = ""
    subscription: str = ""
    invoice: str = ""
    customer: str = ""
    order: str = ""
    """Our order's public id, from `orderId` in the metadata."""
    registration: str = ""
    """`registrationId` in the metadata: our registration's public id or an imported one."""
    site: str = ""
    """The site that made the Stripe object, from `site` in the metadata."""
    attempt: int | None = None
    """The number of the Checkout session within the order, from `attempt` in the metadata."""

    def our_references(self) -> tuple[str, ...]:
        """Names that we give out: an order must exist behind them. Another product's `orderId` is no UUID."""
        order = (f"{ORDER}{self.order}",) if canonical_uuid(self.order) else ()
        registration = (f"{REGISTRATION}{self.registration}",) if self.registration else ()
        return order + registration

    def names(self) -> tuple[str, ...]:
        """Every name, the one that decides first: session, our own ids, then Stripe's other ids.

        A customer has many orders and subscriptions: their id decides only where nothing else is named.
        """
        candidates = (self.session, *self.our_references(), *self._old_order(), *self._bound())
        return tuple(name for name in candidates if name) or ((self.customer,) if self.customer else ())

    def _old_order(self) -> tuple[str, ...]:
        """An `orderId` of an old system, which names no site; that of an order that nobody imported says nothing."""
        is_old = bool(self.order) and not self.site and not canonical_uuid(self.order)
        return (f"{ORDER}{self.order}",) if is_old else ()

    def stripe_references(self) -> tuple[str, ...]:
        """Stripe's ids: what an event may teach us about an order or a subscription."""
        return tuple(name for name in (self.session, *self._bound()) if name)

    def _bound(self) -> tuple[str, ...]:
        """What belongs to one order or to one subscription."""
        return self.subscription, self.invoice, self.payment_intent, self.charge


def canonical_uuid(text: str) -> str:
    """The UUID as we write it, if it is written so but for its case; "" for anything else.

    Stricter than `names.read_uuid`: in Stripe's metadata, another spelling is another program's.
    """
    return text.lower() if CANONICAL_UUID.fullmatch(text) else ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt to pay failed. `code`: Stripe's decline code, else its error code; `message`: its sentence."""

    code: str = ""
    message: str = ""
    error_code: str = field(default="", compare=False)

    @property
    def words(self) -> str:
        """All that was told, the general first: "card_declined: lost_card: Your card was declined."."""
        return ": ".join(dict.fromkeys(word for word in (self.error_code, self.code, self.message) if word))


@dataclass(frozen=True, slots=True)
class OrderFact:
    """Where the buyer's attempt stands. Without money: PAID here means settled although nothing was collected."""

    refs: ObjectRefs
    status: str
    occurred_at: datetime
    failure: Failure = Failure()
    by_subscription: bool = False
    """PAID because a subscription began: its own invoices tell of the money."""


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """Money of one PaymentIntent. Amounts in minor units; `refunded` is the charge's own running total."""

    refs: ObjectRefs
    received: int
    currency: str
    occurred_at: datetime
    refunded: int = 0

    @property
    def key(self) -> str:
        """The payment that it speaks of: the PaymentIntent, or the session where Stripe names none."""
        return self.refs.payment_intent or self.refs.session or self.refs.charge


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One refund (`re_`). `amount` in minor units. `pending_reason`: why it waits, if it does.

    `made_at`: when Stripe made it, whatever it tells of; None if that was not told.
    """

    refs: ObjectRefs
    refund: str
    amount: int
    currency: str
    status: str
    occurred_at: datetime
    reason: str = ""
    failure_reason: str = ""
    pending_reason: str = ""
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """One dispute (`du_`/`dp_`). `amount` in minor units; `due_by` None = nothing can be answered.

    `took_money`: settled with the buyer before it became a chargeback, out of our balance.
    """

    refs: ObjectRefs
    dispute: str
    amount: int
    currency: str
    status: str
    occurred_at: datetime
    reason: str = ""
    due_by: datetime | None = None
    took_money: bool = False


@dataclass(frozen=True, slots=True)
class FraudWarningFact:
    """A card network believes that a payment is fraud (`issfr_`). `is_actionable`: it can still be refunded."""

    refs: ObjectRefs
    warning: str
    fraud_type: str
    is_actionable: bool
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class BuyerAddressFact:
    """Where the buyer of an order lives, as they told Checkout: a city, and a country by its ISO code."""

    refs: ObjectRefs
    city: str
    country: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class CustomerFact:
    """A person as Stripe knows them; what is "" was not told. `refs` names the customer and nothing else."""

    refs: ObjectRefs
    occurred_at: datetime
    email: str = ""
    name: str = ""
    city: str = ""
    country: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One price of a subscription, how many times, and the period of it that is running."""

    price: str
    quantity: int = 1
    interval: str = ""
    interval_count: int = 1
    period_start: datetime | None = None
    period_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a subscription costs: `amount` in minor units for one period of `interval_count` intervals.

    The amount is that of all `items`; the rest is the first one's.
    """

    price: str = ""
    amount: int = 0
    currency: str = ""
    interval: str = ""
    interval_count: int = 1
    quantity: int = 1
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionFact:
    """A whole subscription as it was at `occurred_at`. `refs` names it and its customer.

    `cancel_at`: when it is going to end, whatever way that was asked for. `pause`: what becomes of its invoices while
    nothing is collected ("" = it is), until `resumes_at`. `days_until_due`: where invoices are sent. `order`: public id
    of the order whose Checkout began it; `plan`: our plan's slug; both from the metadata, "" where they are not told.
    """

    refs: ObjectRefs
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
    pause: str = ""
    resumes_at: datetime | None = None
    days_until_due: int = 0
    order: str = ""
    plan: str = ""
    from_created_event: bool = False
    """Told by `created`: whatever else is told of the same second came after it."""

    @property
    def prices(self) -> tuple[str, ...]:
        """The prices at Stripe, by which a subscription of ours is known when nothing else tells."""
        return tuple(item.price for item in self.terms.items) or (self.terms.price,)


@dataclass(frozen=True, slots=True)
class SubscriptionStartedFact:
    """A Checkout session has begun a subscription: which one, whose, with which first invoice, for which order."""

    refs: ObjectRefs
    order: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceFact:
    """An invoice of a subscription: its money, never the subscription's state. Amounts in minor units.

    `refs` names subscription and invoice, and what pays it as far as that was told. `paid_at` None: not paid (yet).
    `period_start`, `period_end`: what it pays for; None for a proration. `off_stripe`: the part of `received` that came
    by another way.
    """

    refs: ObjectRefs
    status: str
    occurred_at: datetime
    received: int = 0
    currency: str = ""
    paid_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    off_stripe: int = 0
    prices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoicePaymentFact:
    """Which payment pays which invoice (`refs` names both, perhaps not the subscription)."""

    refs: ObjectRefs
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionNoticeFact:
    """Something about a subscription that asks for a message: `kind` is `payment_failed`, `action_required`,
    `finalization_failed` or `trial_will_end`. `next_try_at` None: Stripe will not try again by itself.
    """

    refs: ObjectRefs
    kind: str
    occurred_at: datetime
    next_try_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoFacts:
    """Said by a handler that has looked and found nothing to apply: the event is kept and ignored for `reason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class LookUp(NoFacts):
    """Said by a handler that knows only what Stripe is to be asked about: `name` ("": Stripe's own event tells it)."""

    reason: str = "Stripe is asked"
    name: str = ""


OrderSide = OrderFact | PaymentFact | RefundFact | DisputeFact | FraudWarningFact | BuyerAddressFact
SubscriptionSide = (
    SubscriptionFact | SubscriptionStartedFact | InvoiceFact | InvoicePaymentFact | SubscriptionNoticeFact
)
Fact = OrderSide | SubscriptionSide | CustomerFact
Facts = Iterator[Fact | NoFacts]


def references_to_wait_for(fact: Fact) -> tuple[str, ...]:
    """The names of which one must become known before the fact can be applied.

    Of a subscription also its customer, its prices and the order that began it: by each of them it may be ours.
    """
    names = fact.refs.names()
    if not fact.refs.subscription:
        return names
    prices = fact.prices if isinstance(fact, SubscriptionFact | InvoiceFact) else ()
    order = getattr(fact, "order", "")
    more = (fact.refs.customer, *prices, f"{ORDER}{order}" if order else "")
    return tuple(dict.fromkeys((*names, *filter(None, more))))


def moves_money(fact: Fact) -> bool:
    """Whether it tells of money that came, went back or is in dispute."""
    match fact:
        case PaymentFact() | InvoiceFact():
            return fact.received > 0
        case OrderFact():
            return fact.status == OrderStatus.PAID
    return isinstance(fact, RefundFact | DisputeFact)
