"""Everything that is known of what was named, read at once: one statement a table, by index, whatever its size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db.models import Q

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.diagnosis.look_up import Named
from payments.effects.models import Effect
from payments.ledger.models import HeldType, PaymentEvent
from payments.names import ORDER
from payments.orders.models import CheckoutAttempt, Order, OrderException
from payments.statuses import PLAN, ExceptionKind
from payments.timeline.events import owned_by, with_tries
from payments.timeline.statements import Statement, statements_of
from payments.timeline.story import Story, Subject, tell

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
    statements: list[Statement] = field(default_factory=list)
    events: list[PaymentEvent] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    # What is open about them, and about events that found nothing.
    questions: list[OrderException] = field(default_factory=list)

    @property
    def orders(self) -> list[Order]:
        return [each.order for each in self.statements if each.order]

    @property
    def subscriptions(self) -> list[Subscription]:
        return [each.subscription for each in self.statements if each.subscription]

    @property
    def users(self) -> list[Any]:
        return self.named.users

    @property
    def owners(self) -> list[Owner]:
        """What money belongs to: orders, then subscriptions."""
        return [each.owner for each in self.statements]

    @cached_property
    def checkouts(self) -> list[CheckoutAttempt]:
        return [row for each in self.statements for row in each.checkouts]

    @cached_property
    def payments(self) -> list[Payment]:
        return [row for each in self.statements for row in each.payments]

    @cached_property
    def refunds(self) -> list[Refund]:
        return [row for each in self.statements for row in each.refunds]

    @cached_property
    def disputes(self) -> list[Dispute]:
        return [row for each in self.statements for row in each.disputes]

    @cached_property
    def subject(self) -> Subject:
        """For what products know of it: they load their rows once for findings and story."""
        return Subject(self.statements, user=self.users[0] if len(self.users) == 1 else None)

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

    def story(self) -> Story:
        """What happened to them, in the same words as on their own pages; one statement, and those of the products."""
        return tell(self.subject, self.events, self.effects, at=self.at, limit=STORY_LENGTH)


def read_records(named: Named, *, at: datetime) -> Records:
    """At most six statements."""
    records = Records(named, at, [*_orders(named), *_subscriptions(named)], events=list(named.events))
    records.questions = [row for each in records.statements for row in each.open_questions]
    if strangers := [row.stripe_event_id for row in named.events if not row.order_id]:
        unknown = OrderException.objects.filter(kind=ExceptionKind.UNKNOWN_ORDER, subject__in=strangers, is_open=True)
        records.questions += [row for row in unknown if row.pk not in {each.pk for each in records.questions}]
    if records.statements:
        records.events = _events(records)
        records.effects = sorted(Effect.objects.filter(owned_by(records.statements)), key=attrgetter("pk"))
    return records


def _orders(named: Named) -> list[Statement]:
    """In the order in which they were found; one query, and one for their amounts in words."""
    if not named.orders:
        return []
    rows = Order.objects.select_related("plan", "user").prefetch_related("payments")
    found = {told.owner.pk: told for told in statements_of(rows.filter(pk__in=[row.pk for row in named.orders]))}
    return [found[row.pk] for row in named.orders]


def _subscriptions(named: Named) -> list[Statement]:
    """Those that were named, that the orders have begun, and those of the people; one query where there can be any."""
    plans = [order.pk for order in named.orders if order.kind == PLAN]
    if not (plans or named.customers or named.subscriptions):
        return []
    own = Q(pk__in=[row.pk for row in named.subscriptions])
    rows = Subscription.objects.select_related("customer", "plan")
    return statements_of(rows.filter(own | Q(order__in=plans) | Q(customer__in=named.customers)).order_by("pk"))


def _events(records: Records) -> list[PaymentEvent]:
    """Those that found their order or subscription, those that name it in vain, and those that were asked for.

    Sorted here and not in the database, which would take the order for a reason to walk through the whole table.
    """
    names = {name for order in records.orders for name in records.names_of(order)}
    names |= {row.stripe_id for row in records.subscriptions}
    which = owned_by(records.statements) | Q(mentions__overlap=sorted(names))
    found = {row.pk: row for row in records.named.events}
    found |= {row.pk: row for row in with_tries(PaymentEvent.objects.defer("payload").filter(which))}
    return [found[key] for key in sorted(found)]
