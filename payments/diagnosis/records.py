"""Everything that is known of what was named, read at once: one statement a table, by index, whatever its size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q, prefetch_related_objects

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.diagnosis.look_up import Named
from payments.effects.models import Effect
from payments.ledger.models import HeldType, PaymentEvent
from payments.names import ORDER
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException
from payments.statuses import PLAN, ExceptionKind

# Told by these: the buyer has gone through the payment.
NEWS_OF_PAYMENT = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "payment_intent.succeeded",
    "charge.succeeded", "invoice.paid", "invoice.payment_succeeded",
)  # fmt: skip
STORY_LENGTH = 40
Owner = Order | Subscription


@dataclass
class Records:
    """What was named and what belongs to it. Rows of one kind stand in the order in which they came about."""

    named: Named
    at: datetime
    subscriptions: list[Subscription] = field(default_factory=list)
    checkouts: list[CheckoutAttempt] = field(default_factory=list)
    events: list[PaymentEvent] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    questions: list[OrderException] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    @property
    def orders(self) -> list[Order]:
        return self.named.orders

    @property
    def users(self) -> list[Any]:
        return self.named.users

    @property
    def owners(self) -> list[Owner]:
        """What money belongs to."""
        return [*self.orders, *self.subscriptions]

    def of(self, owner: Owner, rows: Iterable[Any]) -> list[Any]:
        """Those of the rows that belong to it."""
        column = "order_id" if isinstance(owner, Order) else "subscription_id"
        return [row for row in rows if getattr(row, column) == owner.pk]

    def owner_of(self, row: Any) -> Any:
        """The order or subscription to which it belongs; else the row itself."""
        return self._owner_by_key.get(("order", row.order_id)) or self._owner_by_key.get(
            ("subscription", row.subscription_id), row
        )

    @cached_property
    def _owner_by_key(self) -> dict[tuple[str, int | None], Owner]:
        found: dict[tuple[str, int | None], Owner] = {("order", row.pk): row for row in self.orders}
        return found | {("subscription", row.pk): row for row in self.subscriptions}

    def events_in(self, *statuses: str) -> Iterator[PaymentEvent]:
        """The events in one of these states."""
        return (row for row in self.events if row.status in statuses)

    def events_about(self, order: Order) -> list[PaymentEvent]:
        """Events that found it, and those that name it or one of its sessions and payments."""
        names = self.names_of(order)
        return [row for row in self.events if row.order_id == order.pk or names & {row.object_id, *row.mentions}]

    def names_of(self, order: Order) -> set[str]:
        """Under which names its events may speak of it."""
        sessions = {row.session for row in self.of(order, self.checkouts) if row.session}
        return {f"{ORDER}{order.public_id}", *sessions, *(row.key for row in self.of(order, self.payments))}

    def last_checkout(self, order: Order) -> CheckoutAttempt | None:
        """Its newest payment page; None where there is none yet."""
        return next((row for row in reversed(self.of(order, self.checkouts)) if row.session), None)

    @cached_property
    def held(self) -> dict[str, HeldType]:
        """The types that are held back; asked for only where an event is."""
        return HeldType.objects.in_bulk()

    def story(self) -> list[OrderChange]:
        """The last things that changed about them, the oldest first. One query."""
        rows = OrderChange.objects.select_related("order", "subscription", "event").defer("event__payload")
        latest = rows.filter(_belongs(self.orders, self.subscriptions)).order_by("-pk")[:STORY_LENGTH]
        return list(latest)[::-1] if self.owners else []


def read_records(named: Named, *, at: datetime) -> Records:
    """At most nine statements."""
    records = Records(named, at, subscriptions=[*named.subscriptions, *_subscriptions(named)])
    records.questions = _questions(records)
    if not records.owners:
        records.events = list(named.events)
        return records
    belongs = _belongs(records.orders, records.subscriptions)
    records.checkouts = list(CheckoutAttempt.objects.filter(order__in=records.orders).order_by("order", "number"))
    # With the orders: their amounts in words are made of them.
    prefetch_related_objects(records.orders, "payments")
    records.payments = _sorted(row for order in records.orders for row in order.payments.all())
    if records.subscriptions:
        records.payments += _sorted(Payment.objects.filter(subscription__in=records.subscriptions))
    records.events = _events(records)
    if records.payments:
        records.refunds = _sorted(Refund.objects.filter(belongs))
        records.disputes = _sorted(Dispute.objects.filter(belongs))
    records.effects = _sorted(Effect.objects.filter(belongs))
    return records


def _questions(records: Records) -> list[OrderException]:
    """What is open about them, and about events that found nothing."""
    events = [row.stripe_event_id for row in records.named.events]
    which = _belongs(records.orders, records.subscriptions)
    if events:
        which |= Q(kind=ExceptionKind.UNKNOWN_ORDER, subject__in=events)
    return _sorted(OrderException.objects.filter(which, is_open=True)) if events or records.owners else []


def _subscriptions(named: Named) -> list[Subscription]:
    """Those that the orders have begun, and those of the people; one query where there can be any."""
    plans = [order.pk for order in named.orders if order.kind == PLAN]
    if not (plans or named.customers):
        return []
    which = Q(order__in=plans) | Q(customer__in=named.customers)
    known = [row.pk for row in named.subscriptions]
    return list(Subscription.objects.select_related("customer").filter(which).exclude(pk__in=known).order_by("pk"))


def _belongs(orders: Iterable[Order], subscriptions: Iterable[Subscription]) -> Q:
    keys = [row.pk for row in subscriptions]
    mine = Q(order__in=[row.pk for row in orders])
    return mine | Q(subscription__in=keys) if keys else mine


def _events(records: Records) -> list[PaymentEvent]:
    """Those that found their order or subscription, those that name it in vain, and those that were asked for."""
    names = {name for order in records.orders for name in records.names_of(order)}
    names |= {row.stripe_id for row in records.subscriptions}
    which = _belongs(records.orders, records.subscriptions) | Q(mentions__overlap=sorted(names))
    found = {row.pk: row for row in records.named.events}
    found |= {row.pk: row for row in PaymentEvent.objects.defer("payload").filter(which)}
    return [found[key] for key in sorted(found)]


def _sorted(rows: Iterable[Any]) -> list[Any]:
    """Here and not in the database, which would take the order for a reason to walk through the whole table."""
    return sorted(rows, key=lambda row: row.pk)
