"""What a dispute is about, and who can tell something about it: each app registers what it knows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from payments.billing.models import Customer, Dispute, Payment, Subscription
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a log: when, what happened, and what else is known of it. In the language that is active."""

    at: datetime
    what: str
    detail: str = ""
    before: str = ""
    after: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One dispute with all that it concerns. `order`: the disputed one, or the one that began the subscription."""

    dispute: Dispute
    payment: Payment | None
    order: Order | None
    subscription: Subscription | None
    customer: Customer | None
    user: User | None

    @classmethod
    def of(cls, dispute: Dispute) -> "Case":
        """Read what the dispute concerns."""
        subscription, order = dispute.subscription, dispute.order
        if subscription and order is None:
            order = subscription.order
        customer = subscription.customer if subscription else None
        payment = Payment.objects.filter(key=dispute.payment).first()
        user = (customer.user if customer else None) or (order.user if order else None)
        address = (order.email if order else "") or (customer.email if customer else "")
        user = user or (User.objects.find_confirmed(address) if address else None)
        return cls(dispute, payment, order, subscription, customer, user)

    @property
    def email(self) -> str:
        """Where the buyer reads what we write."""
        if self.user:
            return self.user.email
        return (self.order.email if self.order else "") or (self.customer.email if self.customer else "")

    @property
    def currency(self) -> str:
        return self.dispute.currency

    def events(self) -> list[PaymentEvent]:
        """Every event about it, the oldest first."""
        rows = PaymentEvent.objects.none()
        if self.order:
            rows = rows | PaymentEvent.objects.filter(order=self.order)
        if self.subscription:
            rows = rows | PaymentEvent.objects.filter(subscription=self.subscription)
        return list(rows.defer("payload").order_by("occurred_at", "pk"))


Source = Callable[[Case, datetime], Iterable[Entry]]
_sources: list[Source] = []


def evidence_source(source: Source) -> Source:
    """Register the decorated function: what it knows of the use of what was paid for goes into the access log."""
    _sources.append(source)
    return source


def entries_of(case: Case, *, at: datetime) -> list[Entry]:
    """The access log: what every source knows, in the order in which it happened."""
    return sorted((entry for source in _sources for entry in source(case, at)), key=lambda entry: entry.at)
