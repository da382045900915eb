"""The orders' screens: what was asked for, where it stands and how it came to that; a refund with a reason."""

from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.menu import Job
from payments.admin.kit.display import NONE, links_to_purchased
from payments.admin.kit.inlines import (
    ChangeInline,
    CheckoutInline,
    DisputeInline,
    EffectInline,
    EventInline,
    ExceptionInline,
    PaymentInline,
    RefundInline,
)
from payments.admin.kit.screens import ReadOnlyAdmin, may_see
from payments.admin.refunds import refund
from payments.admin.resync import resync_order_action
from payments.admin.search import orders_called
from payments.orders.models import CheckoutAttempt, Order, OrderChange, Reference
from payments.products import product_of

# From each country straight to the next one: as many steps as there are countries, however many orders there are.
COUNTRIES_SQL = """
    WITH RECURSIVE known AS (
        (SELECT country FROM payments_order WHERE country <> '' ORDER BY country LIMIT 1)
        UNION ALL
        SELECT (SELECT country FROM payments_order WHERE country <> '' AND country > known.country
                ORDER BY country LIMIT 1)
        FROM known WHERE known.country IS NOT NULL
    )
    SELECT country FROM known WHERE country IS NOT NULL
"""


def countries_of_orders() -> list[str]:
    """The countries from which somebody has bought, by their ISO codes."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTRIES_SQL)
        return [country for (country,) in cursor.fetchall()]


class CountryFilter(admin.SimpleListFilter):
    """Where the buyer lives."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(country, country) for country in countries_of_orders()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(country=self.value()) if self.value() else queryset


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Nothing here is typed in: an order is what its events say. A refund is asked for, and told by events again."""

    job, position = Job.ORDERS, 0
    actions = (refund, resync_order_action)
    inlines = (
        ExceptionInline, ChangeInline, EventInline, PaymentInline, RefundInline, DisputeInline, EffectInline,
        CheckoutInline,
    )  # fmt: skip
    list_display = (
        "number", "email", "label", "price", "status", "dispute_state", "lives_in", "created_at", "paid_at",
    )  # fmt: skip
    list_filter = ("status", "dispute_state", CountryFilter, "livemode", ("created_at", admin.DateFieldListFilter))
    ordering = ("-created_at",)
    search_fields = ("email__exact",)
    search_help_text = _(
        "Order number or id, whole e-mail address, id of a registration, any whole Stripe id, request id."
    )
    fields = (
        ("status", "dispute_state"), ("label", "kind"), "purchased", ("number", "public_id"), ("email", "livemode"),
        ("city", "country"), ("price", "received_text", "refunded_text"), ("lost_text", "here_text"),
        ("created_at", "paid_at"), ("failure_code", "failure_message"),
    )  # fmt: skip
    readonly_fields = ("number", "price", "received_text", "refunded_text", "lost_text", "here_text", "purchased")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        """With its payments: each of its sums reads them."""
        order: Order | None = super().get_object(request, object_id, from_field)
        prefetch_related_objects([order] if order else [], "payments")
        return order

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> Any:
        """What was bought stands on a screen of its own, which not everybody may see."""
        bought = product_of(obj).purchased_rows(obj) if obj else ()
        is_seen = all(may_see(request, row._meta.label) for row, _text in bought)
        return [each for each in super().get_fields(request, obj) if is_seen or each != "purchased"]

    def search_condition(self, term: str) -> Q | None:
        return orders_called(term) if term and "@" not in term else None

    @admin.display(description=_("number"), ordering="pk")
    def number(self, order: Order) -> str:
        return order.number

    @admin.display(description=_("amount"), ordering="amount")
    def price(self, order: Order) -> str:
        return order.price

    @admin.display(description=_("received"))
    def received_text(self, order: Order) -> str:
        return order.received_text

    @admin.display(description=_("refunded"))
    def refunded_text(self, order: Order) -> str:
        return order.refunded_text or NONE

    @admin.display(description=_("lost to disputes"))
    def lost_text(self, order: Order) -> str:
        return order.lost_text or NONE

    @admin.display(description=_("money here"))
    def here_text(self, order: Order) -> str:
        """What was received, and neither given back nor lost."""
        return order.here_text

    @admin.display(description=_("lives in"), ordering="country")
    def lives_in(self, order: Order) -> str:
        """As they told Checkout."""
        return ", ".join(part for part in (order.city, order.country) if part) or NONE

    @admin.display(description=_("what it bought"))
    def purchased(self, order: Order) -> str:
        return links_to_purchased(order)


@admin.register(OrderChange)
class OrderChangeAdmin(ReadOnlyAdmin):
    """Everything that ever changed, the latest first."""

    job, position = Job.TECHNICAL, 1
    list_display = ("id", "order", "subscription", "field", "before", "after", "occurred_at", "learned_at", "source")
    list_select_related = ("order", "subscription")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("order", "subscription", "event")
        return rows.defer("event__payload")


@admin.register(CheckoutAttempt, Reference)
class ReferenceAdmin(ReadOnlyAdmin):
    """The names under which something is known to Stripe and to us."""

    job, position = Job.TECHNICAL, 2
    ordering = ("-pk",)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("__str__", "order", "subscription", "customer") if self.model is Reference else ("__str__", "order")

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        return ("order", "subscription", "customer") if self.model is Reference else ("order",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("name__exact",) if self.model is Reference else ("session__exact",)
