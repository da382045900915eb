"""What payments know of one person: who they are at Stripe, orders, subscriptions, money, mails and Stripe's events."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.blotting import all_told, blot_out
from accounts.hooks import AccountExtension, Erasure, Individual, extend_accounts
from payments.billing.models import Customer, Dispute, Payment, Receipt, Refund, Subscription
from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.statuses import EVENT_DONE, OPEN_STATUSES, DisputePhase, EffectStatus, RefundStatus

# What the history calls it.
ERASED = "erased"
UNDECIDED = (DisputePhase.INQUIRY, DisputePhase.OPEN)
NOT_SENT = (EffectStatus.PENDING, EffectStatus.CLAIMED)
MONEY_LEAVES = (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION)
REASON_MAX_CHARS = 255


class Traces:
    """The rows of one person; each set is read when it is asked for."""

    def __init__(self, person: Individual) -> None:
        self.customers = Customer.objects.filter(person.owned)
        self.orders = Order.objects.filter(person.owned)
        self.subscriptions = Subscription.objects.filter(
            Q(customer__in=self.customers.values("pk")) | Q(order__in=self.orders.values("pk"))
        )
        self.theirs = Q(order__in=self.orders.values("pk")) | Q(subscription__in=self.subscriptions.values("pk"))

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those that belong to their orders and subscriptions, the oldest first."""
        return rows.filter(self.theirs).order_by("pk")

    @cached_property
    def events(self) -> QuerySet[PaymentEvent]:
        """Those that found their orders and subscriptions, and those that name them."""
        owned = Reference.objects.filter(self.theirs | Q(customer__in=self.customers.values("pk")))
        names = set(owned.values_list("name", flat=True)) | set(self.customers.values_list("stripe_id", flat=True))
        names |= set(self.subscriptions.values_list("stripe_id", flat=True))
        return PaymentEvent.objects.filter(self.theirs | Q(mentions__overlap=sorted(names) or [""])).order_by("pk")


def _of(found: Traces) -> Q:
    """The receipts of their orders and of what they paid for subscriptions."""
    subscribed = Q(payment__subscription__in=found.subscriptions.values("pk"))
    return Q(order__in=found.orders.values("pk")) | subscribed


class PaymentsOfPerson(AccountExtension):
    """Amounts, dates and Stripe's ids stay, for the accounts; whom they were of goes."""

    def called(self, person: Individual) -> Iterator[str]:
        for email, name in Customer.objects.filter(person.owned).values_list("email", "name"):
            yield from filter(None, (email, name))
        yield from filter(None, Order.objects.filter(person.owned).values_list("email", flat=True))

    def known_of(self, person: Individual) -> Mapping[str, Any]:
        found = Traces(person)
        return {
            "stripe_customers": all_told(found.customers.order_by("pk")),
            "orders": [{"number": row.number, **_order(row)} for row in found.orders.order_by("pk")],
            "subscriptions": all_told(found.subscriptions.order_by("pk"), leave_out=("fingerprint",)),
            "payments": all_told(found.of(Payment.objects.all())),
            "refunds": all_told(found.of(Refund.objects.all())),
            "disputes": all_told(found.of(Dispute.objects.all())),
            "receipts": all_told(Receipt.objects.filter(_of(found)).order_by("pk")),
            "payment_pages": all_told(CheckoutAttempt.objects.filter(order__in=found.orders.values("pk"))),
            "history": all_told(found.of(OrderChange.objects.all())),
            "questions": all_told(found.of(OrderException.objects.all())),
            "mails": all_told(found.of(Effect.objects.all()), leave_out=("cause",)),
            "events_of_stripe": [
                {"event": row.stripe_event_id, "type": row.type, "occurred_at": row.occurred_at, "payload": row.payload}
                for row in found.events
            ],
        }

    def under_way(self, person: Individual, *, at: datetime) -> Iterator[str]:
        found = Traces(person)
        for order in found.orders.filter(status__in=OPEN_STATUSES).order_by("pk"):
            yield _("%(order)s can still be paid.") % {"order": order.number}
        for row in Subscription.objects.live().filter(pk__in=found.subscriptions.values("pk")):
            yield _("The subscription %(name)s goes on: end it first.") % {"name": row.stripe_id}
        for dispute in found.of(Dispute.objects.filter(phase__in=UNDECIDED)):
            yield _("The dispute %(name)s is not decided.") % {"name": dispute.stripe_id}
        for refund in found.of(Refund.objects.filter(status__in=MONEY_LEAVES)):
            yield _("The refund %(name)s is under way.") % {"name": refund.stripe_id}
        for question in found.of(OrderException.objects.filter(is_open=True)):
            yield _("A question is open: %(question)s.") % {"question": question}
        if count := found.of(Effect.objects.filter(status__in=NOT_SENT)).count():
            yield _("Mails or refunds wait to go out: %(count)d.") % {"count": count}
        for event in found.events.exclude(status__in=EVENT_DONE):
            yield _("%(event)s is not processed yet.") % {"event": event.stripe_event_id}

    def forget(self, erasure: Erasure) -> Mapping[str, int]:
        found, words = Traces(erasure.person), erasure.words
        # Whose rows they are is asked before their address is gone.
        orders, subscriptions = list(found.orders), list(found.subscriptions)
        events = [event.pk for event in found.events.only("pk")]
        of_events = PaymentEvent.objects.filter(pk__in=events)
        theirs = Q(order__in=orders) | Q(subscription__in=subscriptions)
        counts = {
            "events_of_stripe": blot_out(of_events, words, payload="payload"),
            "attempts": blot_out(EventAttempt.objects.filter(event__in=events), words),
            "questions": blot_out(OrderException.objects.filter(theirs), words),
            "history": blot_out(OrderChange.objects.filter(theirs), words),
            "mails": Effect.objects.filter(theirs, sent__isnull=False).update(sent=None),
            "notes_of_mails": blot_out(Effect.objects.filter(theirs), words),
        }
        CheckoutAttempt.objects.filter(order__in=orders, params__isnull=False).update(params=None)
        named = Q(email=erasure.alias, name="")
        customers = found.customers.exclude(named).values_list("pk", flat=True)
        counts["stripe_customers"] = Customer.objects.filter(pk__in=list(customers)).update(
            email=erasure.alias, name=""
        )
        new = [order for order in orders if order.email not in ("", erasure.alias)]
        changed = Order.objects.filter(pk__in=[order.pk for order in new])
        counts["orders"] = changed.update(email=erasure.alias, failure_message="")
        _note(erasure, [{"order": each} for each in new])
        return counts


def _order(row: Order) -> Mapping[str, Any]:
    return all_told([row])[0]


def _note(erasure: Erasure, owners: list[dict[str, Any]]) -> None:
    """Who and why, where whoever looks at the money later sees it."""
    OrderChange.objects.bulk_create(
        OrderChange(
            field=ERASED, after=erasure.reason[:REASON_MAX_CHARS], occurred_at=erasure.at, learned_at=erasure.at,
            source=erasure.by[:REASON_MAX_CHARS], **owner,
        )
        for owner in owners
    )  # fmt: skip


extend_accounts(PaymentsOfPerson())
