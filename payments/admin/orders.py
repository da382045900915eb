"""The orders' screens: what was asked for, where it stands and how it came to that; a refund with a reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from payments.admin.base import ReadOnlyAdmin
from payments.admin.bought import bought_by
from payments.admin.countries import CountryFilter
from payments.admin.inlines import (
    ChangeInline,
    CheckoutInline,
    DisputeInline,
    EffectInline,
    EventInline,
    ExceptionInline,
    PaymentInline,
    RefundInline,
)
from payments.admin.refunds import refund
from payments.admin.resync import resync_order_action
from payments.admin.search import order_named
from payments.money import format_amount
from payments.orders.models import CheckoutAttempt, Order, OrderChange, Reference


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Nothing here is typed in: an order is what its events say. A refund is asked for, and told by events again."""

    actions = (refund, resync_order_action)
    change_form_template = "admin/payments/order/change_form.html"
    inlines = (
        ExceptionInline, ChangeInline, EventInline, PaymentInline, RefundInline, DisputeInline, EffectInline,
        CheckoutInline,
    )  # fmt: skip
    list_display = (
        "number", "email", "label", "price", "status", "dispute_state", "lives_in", "created_at", "paid_at",
    )  # fmt: skip
    list_filter = ("status", "dispute_state", CountryFilter, "livemode", ("created_at", admin.DateFieldListFilter))
    ordering = ("-created_at",)
    search_fields = ("email__exact", "references__name__exact")
    search_help_text = _("Order number or id, whole e-mail address, whole Stripe id.")
    fields = (
        ("status", "dispute_state"), ("label", "kind"), "bought", ("number", "public_id"), ("email", "livemode"),
        ("city", "country"), ("price", "received_text", "refunded_text"), ("created_at", "paid_at"),
        ("failure_code", "failure_message"),
    )  # fmt: skip
    readonly_fields = ("number", "price", "received_text", "refunded_text", "bought")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        order = order_named(search_term.strip())
        if order:
            return queryset.filter(order), False
        # Addresses are kept in lower case, Stripe's ids are not.
        term = search_term.lower() if "@" in search_term else search_term
        return super().get_search_results(request, queryset, term)

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_refund")

    def has_resync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.resync_order")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["may_refund"] = self.has_refund_permission(request)
        context["may_resync"] = self.has_resync_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("number"), ordering="pk")
    def number(self, order: Order) -> str:
        return order.number

    @admin.display(description=_("amount"), ordering="amount")
    def price(self, order: Order) -> str:
        return order.price

    @admin.display(description=_("lives in"), ordering="country")
    def lives_in(self, order: Order) -> str:
        """As they told Checkout."""
        return ", ".join(part for part in (order.city, order.country) if part) or "–"

    @admin.display(description=_("what it bought"))
    def bought(self, order: Order) -> str:
        return bought_by(order)

    @admin.display(description=_("received"))
    def received_text(self, order: Order) -> str:
        return format_amount(order.amount_received, order.currency)

    @admin.display(description=_("refunded"))
    def refunded_text(self, order: Order) -> str:
        return format_amount(order.amount_refunded, order.currency)


@admin.register(OrderChange)
class OrderChangeAdmin(ReadOnlyAdmin):
    """Everything that ever changed, the latest first."""

    list_display = ("id", "order", "subscription", "field", "before", "after", "occurred_at", "learned_at", "source")
    list_select_related = ("order", "subscription")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("order", "subscription", "event")
        return rows.defer("event__payload")


@admin.register(CheckoutAttempt, Reference)
class NameAdmin(ReadOnlyAdmin):
    """The names under which something is known to Stripe and to us."""

    ordering = ("-pk",)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("__str__", "order", "subscription", "customer") if self.model is Reference else ("__str__", "order")

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        return ("order", "subscription", "customer") if self.model is Reference else ("order",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("name__exact",) if self.model is Reference else ("session__exact",)
