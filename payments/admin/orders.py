"""The orders' screens: what was asked for, where it stands and how it came to that; a refund with a reason."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.menu import Job
from payments.admin.kit.display import NONE, amount, link_to, links_to, moment_text
from payments.admin.kit.screens import ReadOnlyAdmin, is_page, may_see
from payments.admin.kit.story import Fact, StoryAdmin
from payments.admin.refunds import refund
from payments.admin.resync import resync_order_action
from payments.admin.search import orders_called
from payments.names import order_called
from payments.orders.models import CheckoutAttempt, Order, OrderChange, Reference
from payments.products import product_of
from payments.statuses import OrderStatus
from payments.timeline import Subject

NAMES_OF_ORDERS = ("cs_", "pi_", "ch_", "py_")
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
class OrderAdmin(StoryAdmin):
    """Nothing here is typed in: an order is what its events say. A refund is asked for, and told by events again."""

    job, position = Job.ORDERS, 0
    actions = (refund, resync_order_action)
    resync_permission = "payments.resync_order"
    list_display = (
        "number", "email", "label", "price", "status", "dispute_state", "lives_in", "created_at", "paid_at",
    )  # fmt: skip
    list_filter = ("status", "dispute_state", CountryFilter, ("created_at", admin.DateFieldListFilter))
    ordering = ("-pk",)
    search_fields = ("email__exact",)
    search_help_text = _(
        "Order number or id, whole e-mail address, id of a registration, any whole Stripe id, request id."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        # On its own page the money is told in several places.
        return rows.select_related("user", "plan").prefetch_related("payments") if is_page(request) else rows

    def facts(self, request: HttpRequest, subject: Subject) -> Iterator[Fact]:
        [order] = subject.orders
        yield gettext("What"), order.label
        bought = list(product_of(order).purchased_rows(subject))
        if all(may_see(request, row._meta.label) for row, _text in bought):
            yield gettext("What it bought"), links_to(bought)
        yield gettext("Price"), order.price
        yield gettext("Received"), order.received_text if order.payments.all() else ""
        yield gettext("Refunded"), order.refunded_text
        yield gettext("Lost to disputes"), order.lost_text
        yield gettext("Net amount"), order.here_text if order.refunded_text or order.lost_text else ""
        yield gettext("E-mail"), order.email
        if order.user and may_see(request, "accounts.user"):
            yield gettext("Account"), link_to(order.user)
        yield gettext("Lives in"), ", ".join(part for part in (order.city, order.country) if part)
        yield gettext("Created"), moment_text(order.created_at)
        yield gettext("Paid"), moment_text(order.paid_at)
        if order.status == OrderStatus.FAILED:
            yield gettext("Failure"), ": ".join(part for part in (order.failure_code, order.failure_message) if part)
        yield gettext("Public id"), format_html('<code class="stripe-id">{}</code>', order.public_id)

    def search_condition(self, term: str) -> Q | None:
        return orders_called(term) if term and "@" not in term else None

    def named(self, term: str) -> Q | None:
        """Also by what is at Stripe for it alone."""
        return order_called(term) or (Q(references__name=term) if term.startswith(NAMES_OF_ORDERS) else None)

    @admin.display(description=_("number"), ordering="pk")
    def number(self, order: Order) -> str:
        return order.number

    @admin.display(description=_("amount"), ordering="amount")
    def price(self, order: Order) -> str:
        return amount(order.price)

    @admin.display(description=_("lives in"), ordering="country")
    def lives_in(self, order: Order) -> str:
        """As they told Checkout."""
        return ", ".join(part for part in (order.city, order.country) if part) or NONE


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
