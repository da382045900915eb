"""What a dispute is about, and its two logs: what happened, and how what was paid for was used.

Of the use each product says what it knows.
"""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from payments.billing.models import Customer, Dispute, Payment, Subscription
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.timeline import Kind, Moment, Subject, story
from payments.timeline.events import owned_by
from payments.timeline.story import told_by_person, told_by_products, told_by_subscription

INTERNAL = (Kind.STAFF, Kind.ALERT, Kind.QUESTION)
MAX_MOMENTS = 10_000


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

    def events(self) -> list[PaymentEvent]:
        """Every event about it, the oldest first."""
        rows = PaymentEvent.objects.filter(owned_by(self.subject().statements))
        return list(rows.defer("payload").order_by("occurred_at", "pk"))

    def subject(self) -> Subject:
        """What its story is about; no person, because what else they have was not paid for by this."""
        return Subject.of(self.order, self.subscription)


def access_log(case: Case, *, at: datetime) -> list[Moment]:
    """The use of what was paid for: what every product knows, in the order in which it happened."""
    moments = [*told_by_person(case.user), *told_by_products(case.subject(), at=at)]
    moments += told_by_subscription(case.subscription)
    return sorted(filter(_is_for_the_bank, moments), key=lambda moment: moment.order)


def timeline(case: Case, *, at: datetime) -> list[Moment]:
    """What happened, who told of it, and what was sent because of it. What staff did and asked stays among them."""
    return [each for each in story(case.subject(), at=at, limit=MAX_MOMENTS).moments if _is_for_the_bank(each)]


def effects_of(case: Case) -> list[Effect]:
    """Every mail, alert and refund that it brought about."""
    return list(Effect.objects.filter(owned_by(case.subject().statements)).order_by("pk"))


def _is_for_the_bank(moment: Moment) -> bool:
    return moment.kind not in INTERNAL
