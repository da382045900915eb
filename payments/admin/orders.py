"""The orders' screens: what was asked for, where it stands and how it came to that; a refund with a reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.admin.base import ReadOnlyAdmin, ReadOnlyInline, link_to
from payments.admin.refunds import refund
from payments.admin.search import order_named
from payments.admin.words import name_of, value_of
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.money import format_amount
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference


class ChangeInline(ReadOnlyInline):
    model = OrderChange
    fields = ("learned_at", "what", "was", "became", "occurred_at", "cause")
    readonly_fields = ("what", "was", "became", "cause")
    ordering = ("id",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("event", "order").defer("event__payload")

    @admin.display(description=_("what"))
    def what(self, change: OrderChange) -> str:
        return name_of(change.field)

    @admin.display(description=_("before"))
    def was(self, change: OrderChange) -> str:
        return value_of(change.field, change.before, currency=change.order.currency)

    @admin.display(description=_("after"))
    def became(self, change: OrderChange) -> str:
        return value_of(change.field, change.after, currency=change.order.currency)

    @admin.display(description=_("by"))
    def cause(self, change: OrderChange) -> str:
        return link_to(change.event, str(change.event)) if change.event else change.source


class EventInline(ReadOnlyInline):
    model = PaymentEvent
    fields = ("stripe_event_id", "type", "status", "occurred_at", "received_at", "processed_at")
    ordering = ("received_at", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("payload")


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ("key", "received", "refunded", "currency", "paid_at")


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("stripe_id", "payment", "amount", "currency", "status", "status_at")


class DisputeInline(ReadOnlyInline):
    model = Dispute
    fields = ("stripe_id", "payment", "amount", "currency", "status", "due_by")


class ExceptionInline(ReadOnlyInline):
    model = OrderException
    fields = ("kind", "subject", "detail", "is_open", "opened_at", "closed_at")


class EffectInline(ReadOnlyInline):
    model = Effect
    fields = ("key", "kind", "why", "status", "not_before", "delivered_at", "outcome")
    readonly_fields = ("why",)
    ordering = ("id",)

    @admin.display(description=_("reason"))
    def why(self, effect: Effect) -> str:
        """Of a refund: why, and who asked; our own sentences are stored in English."""
        reason, by = effect.data.get("reason", ""), effect.data.get("by", "")
        return " – ".join(part for part in (gettext(reason) if reason else "", by) if part) or "–"


class CheckoutInline(ReadOnlyInline):
    model = CheckoutAttempt
    fields = ("number", "session", "created_at", "expires_at")
    ordering = ("number",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Nothing here is typed in: an order is what its events say. A refund is asked for, and told by events again."""

    actions = (refund,)
    change_form_template = "admin/payments/order/change_form.html"
    inlines = (
        ExceptionInline, ChangeInline, EventInline, PaymentInline, RefundInline, DisputeInline, EffectInline,
        CheckoutInline,
    )  # fmt: skip
    list_display = ("number", "email", "label", "price", "status", "dispute_state", "created_at", "paid_at")
    list_filter = ("status", "dispute_state", "livemode", ("created_at", admin.DateFieldListFilter))
    ordering = ("-created_at",)
    search_fields = ("email__exact", "references__name__exact")
    search_help_text = _("Order number or id, whole e-mail address, whole Stripe id.")
    fields = (
        ("status", "dispute_state"), ("label", "kind"), ("number", "public_id"), ("email", "livemode"),
        ("price", "received_text", "refunded_text"), ("created_at", "paid_at"), ("failure_code", "failure_message"),
    )  # fmt: skip
    readonly_fields = ("number", "price", "received_text", "refunded_text")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        order = order_named(search_term.strip())
        if order:
            return queryset.filter(order), False
        # Addresses are kept in lower case, Stripe's ids are not.
        term = search_term.lower() if "@" in search_term else search_term
        return super().get_search_results(request, queryset, term)

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_refund")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["may_refund"] = self.has_refund_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("number"), ordering="pk")
    def number(self, order: Order) -> str:
        return order.number

    @admin.display(description=_("amount"), ordering="amount")
    def price(self, order: Order) -> str:
        return order.price

    @admin.display(description=_("received"))
    def received_text(self, order: Order) -> str:
        return format_amount(order.amount_received, order.currency)

    @admin.display(description=_("refunded"))
    def refunded_text(self, order: Order) -> str:
        return format_amount(order.amount_refunded, order.currency)


@admin.register(OrderChange)
class OrderChangeAdmin(ReadOnlyAdmin):
    """Everything that ever changed, the latest first."""

    list_display = ("id", "order", "field", "before", "after", "occurred_at", "learned_at", "source")
    list_select_related = ("order",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("order", "event").defer("event__payload")


@admin.register(CheckoutAttempt, Reference)
class NameAdmin(ReadOnlyAdmin):
    """The names under which an order is known to Stripe and to us."""

    list_display = ("__str__", "order")
    list_select_related = ("order",)
    ordering = ("-pk",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("name__exact",) if self.model is Reference else ("session__exact",)
