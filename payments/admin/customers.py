"""The customers' screen: one person as Stripe knows them, with all that they have bought."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.base import ReadOnlyAdmin, ReadOnlyInline, link_to
from payments.admin.pills import subscription_pill
from payments.admin.resync import resync_customer_action
from payments.admin.subscriptions import terms_of
from payments.billing.models import Customer, Subscription
from payments.orders.models import Order

MOST_ORDERS = 50


class SubscriptionInline(ReadOnlyInline):
    model = Subscription
    fields = ("link", "plan", "state", "terms", "period_end", "cancel_at")
    readonly_fields = ("link", "state", "terms")
    ordering = ("-id",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("plan")

    @admin.display(description=gettext_lazy("subscription"))
    def link(self, row: Subscription) -> str:
        return link_to(row)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Subscription) -> str:
        return subscription_pill(row)

    @admin.display(description=gettext_lazy("price"))
    def terms(self, row: Subscription) -> str:
        return terms_of(row)


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Who somebody is stands as Stripe told it; the account here is linked."""

    actions = (resync_customer_action,)
    change_form_template = "admin/payments/customer/change_form.html"
    inlines = (SubscriptionInline,)
    list_display = ("person", "name", "city", "country", "user", "subscriptions_text", "stripe_id", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("stripe_id__exact", "email__exact")
    search_help_text = gettext_lazy("Whole e-mail address, whole id of the customer or of a subscription.")
    fields = (
        ("email", "name"), ("city", "country"), "user_link", ("stripe_id", "deleted_at"), "orders_text",
    )  # fmt: skip
    readonly_fields = ("user_link", "orders_text")

    class Media:
        css = {"all": ["payments/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("subscriptions__plan")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if term.startswith("sub_"):
            return queryset.filter(subscriptions__stripe_id=term), False
        return super().get_search_results(request, queryset, term.lower() if "@" in term else term)

    def has_resync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.resync_subscription")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["may_resync"] = self.has_resync_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("person"), ordering="email")
    def person(self, row: Customer) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("user"))
    def user_link(self, row: Customer) -> str:
        return link_to(row.user)

    @admin.display(description=gettext_lazy("subscriptions"))
    def subscriptions_text(self, row: Customer) -> str:
        return format_html_join(" ", "{}", ((subscription_pill(each),) for each in row.subscriptions.all())) or "–"

    @admin.display(description=gettext_lazy("orders with this e-mail address"))
    def orders_text(self, row: Customer) -> str:
        """The newest first."""
        if not row.email:
            return "–"
        orders = Order.objects.filter(email=row.email).order_by("-created_at")[:MOST_ORDERS]
        lines = ((link_to(order, str(order)), order.price, order.get_status_display()) for order in orders)
        return format_html_join("", "<div>{} · {} · {}</div>", lines) or _("None.")
