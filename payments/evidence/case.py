"""What a dispute is about, and its two logs: what happened, and how what was paid for was used.

Of the use each product says what it knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from payments.billing.models import Customer, Dispute, Payment, Subscription
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order, OrderChange
from payments.products import all_products


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

    def events(self) -> list[PaymentEvent]:
        """Every event about it, the oldest first."""
        rows = PaymentEvent.objects.none()
        if self.order:
            rows = rows | PaymentEvent.objects.filter(order=self.order)
        if self.subscription:
            rows = rows | PaymentEvent.objects.filter(subscription=self.subscription)
        return list(rows.defer("payload").order_by("occurred_at", "pk"))


def access_log(case: Case, *, at: datetime) -> list[Entry]:
    """The use of what was paid for: what every product knows, in the order in which it happened."""
    entries = [*_account(case), *_subscription(case)]
    for product in all_products():
        entries += product.evidence(case, at=at)
    return sorted(entries, key=lambda entry: entry.at)


def timeline(case: Case) -> list[Entry]:
    """What changed, which events told of it, and what was sent because of it, in the order in which it happened."""
    entries = [*_changes(case), *_events(case), *_effects(case)]
    return sorted(entries, key=lambda entry: entry.at)


def effects_of(case: Case) -> list[Effect]:
    """Every mail, alert and refund that it brought about."""
    rows = Effect.objects.none()
    if case.order:
        rows = rows | Effect.objects.filter(order=case.order)
    if case.subscription:
        rows = rows | Effect.objects.filter(subscription=case.subscription)
    return list(rows.order_by("pk"))


def _changes(case: Case) -> Iterator[Entry]:
    rows = OrderChange.objects.none()
    if case.order:
        rows = rows | OrderChange.objects.filter(order=case.order)
    if case.subscription:
        rows = rows | OrderChange.objects.filter(subscription=case.subscription)
    for row in rows.select_related("order", "subscription").order_by("pk"):
        owner = row.order or row.subscription
        currency = owner.currency if owner else ""
        before, after = (value_of(row.field, text, currency=currency) for text in (row.before, row.after))
        yield Entry(row.occurred_at, name_of(row.field), before=before, after=after, source=row.source)


def _events(case: Case) -> Iterator[Entry]:
    for event in case.events():
        yield Entry(event.occurred_at, event.type, event.object_id, source=event.stripe_event_id)


def _effects(case: Case) -> Iterator[Entry]:
    for effect in effects_of(case):
        state = str(effect.get_status_display())
        yield Entry(effect.delivered_at or effect.created_at, effect.kind, _("Message or refund: %s") % state)


def _account(case: Case) -> Iterator[Entry]:
    """That somebody has confirmed the address and signed in."""
    user = case.user
    if user is None:
        return
    yield Entry(user.date_joined, _("Account created"), user.email)
    if user.email_confirmed_at:
        detail = _("The link that was sent to this address has been opened.")
        yield Entry(user.email_confirmed_at, _("E-mail address confirmed"), detail)
    if user.last_login:
        yield Entry(user.last_login, _("Signed in"), _("The last time; earlier ones are not kept."))


def _subscription(case: Case) -> Iterator[Entry]:
    """Which time was paid for, and whether anybody asked for its end."""
    row = case.subscription
    if row is None:
        return
    if row.started_at:
        yield Entry(row.started_at, _("Subscription began"), row.stripe_id)
    if row.period_start:
        yield Entry(row.period_start, _("Present period began"), str(row.plan or ""))
    if row.canceled_at:
        yield Entry(row.canceled_at, _("Cancellation asked for"))
    if row.ended_at:
        yield Entry(row.ended_at, _("Subscription ended"))
