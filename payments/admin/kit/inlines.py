"""What belongs to an order or a subscription: how it came about, its money, and what was sent because of it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.admin.kit.display import NONE, link_to, money_column, stripe_id_column, tells_of
from payments.admin.kit.screens import ReadOnlyInline
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.labels import name_of, value_of
from payments.orders.models import CheckoutAttempt, OrderChange, OrderException


class ChangeInline(ReadOnlyInline):
    model = OrderChange
    fields = ("learned_at", "what", "was", "became", "occurred_at", "cause")
    readonly_fields = ("what", "was", "became", "cause")
    ordering = ("id",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("event", "order", "subscription")
        return rows.defer("event__payload")

    @admin.display(description=_("what"))
    def what(self, change: OrderChange) -> str:
        return name_of(change.field)

    @admin.display(description=_("before"))
    def was(self, change: OrderChange) -> str:
        return value_of(change.field, change.before, currency=_currency(change))

    @admin.display(description=_("after"))
    def became(self, change: OrderChange) -> str:
        return value_of(change.field, change.after, currency=_currency(change))

    @tells_of("payments.paymentevent", description=_("by"))
    def cause(self, change: OrderChange) -> str:
        return link_to(change.event, str(change.event)) if change.event else change.source


def _currency(change: OrderChange) -> str:
    owner = change.order or change.subscription
    return owner.currency if owner else ""


class EventInline(ReadOnlyInline):
    model = PaymentEvent
    fields = ("stripe_event_id_text", "type", "status", "occurred_at", "received_at", "processed_at")
    readonly_fields = ("stripe_event_id_text",)
    ordering = ("received_at", "id")

    stripe_event_id_text = stripe_id_column("stripe_event_id", _("Stripe event"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("payload")


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ("key_text", "received_text", "refunded_text", "lost_text", "paid_at")
    readonly_fields = ("key_text", "received_text", "refunded_text", "lost_text")
    ordering = ("paid_at", "id")

    key_text = stripe_id_column("key", _("payment"))
    received_text = money_column("received", _("received"))
    refunded_text = money_column("refunded", _("refunded"))
    lost_text = money_column("lost", _("lost to disputes"))


class PaymentPartInline(ReadOnlyInline):
    """What happened to a part of a payment."""

    readonly_fields = ("stripe_id_text", "payment_text", "amount_text")

    payment_text = stripe_id_column("payment", _("payment"))
    amount_text = money_column("amount", _("amount"))


class RefundInline(PaymentPartInline):
    model = Refund
    fields = (
        "stripe_id_text",
        "payment_text",
        "amount_text",
        "status",
        "status_at",
        "pending_reason",
        "failure_reason",
    )

    stripe_id_text = stripe_id_column("stripe_id", _("refund"))


class DisputeInline(PaymentPartInline):
    model = Dispute
    fields = ("stripe_id_text", "payment_text", "amount_text", "phase", "status", "due_by")

    stripe_id_text = stripe_id_column("stripe_id", _("dispute"))


class ExceptionInline(ReadOnlyInline):
    model = OrderException
    fields = ("kind", "subject", "detail_text", "is_open", "opened_at", "closed_at")
    readonly_fields = ("detail_text",)

    @admin.display(description=_("detail"))
    def detail_text(self, row: OrderException) -> str:
        return row.detail_text


class EffectInline(ReadOnlyInline):
    model = Effect
    fields = ("key", "kind", "reason", "status", "not_before", "delivered_at", "outcome")
    readonly_fields = ("reason",)
    ordering = ("id",)

    @admin.display(description=_("reason"))
    def reason(self, effect: Effect) -> str:
        """Of a refund: why, and who asked; our own sentences are stored in English."""
        reason, by = effect.data.get("reason", ""), effect.data.get("by", "")
        return " – ".join(part for part in (gettext(reason) if reason else "", by) if part) or NONE


class CheckoutInline(ReadOnlyInline):
    model = CheckoutAttempt
    fields = ("number", "session", "created_at", "expires_at")
    ordering = ("number",)
