"""The customers' screen: one person as Stripe knows them, with all that they have bought."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from payments.admin.kit.display import NONE, link_to, stripe_id_column, subscription_pill, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin, ReadOnlyInline
from payments.admin.resync import resync_customer_action
from payments.admin.subscriptions import terms_of
from payments.billing.models import Customer, Subscription
from payments.orders.models import Order

ORDERS_SHOWN = 50


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

    job, position = Job.PEOPLE, 0
    actions = (resync_customer_action,)
    inlines = (SubscriptionInline,)
    list_display = ("person", "name", "city", "country", "user_link", "subscriptions_text", "stripe_id", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("name__icontains", "email__icontains")
    search_help_text = gettext_lazy(
        "Part of the name or of the e-mail address, whole id of the customer or of a subscription."
    )
    fields = (
        ("email", "name"), ("city", "country"), "user_link", ("stripe_id_text", "deleted_at"), "orders_text",
    )  # fmt: skip
    readonly_fields = ("user_link", "orders_text", "stripe_id_text")

    stripe_id_text = stripe_id_column("stripe_id", gettext_lazy("Stripe customer"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("subscriptions__plan")

    def search_condition(self, term: str) -> Q | None:
        if term.startswith("cus_"):
            return Q(stripe_id=term)
        return Q(subscriptions__stripe_id=term) if term.startswith("sub_") else None

    @admin.display(description=gettext_lazy("person"), ordering="email")
    def person(self, row: Customer) -> str:
        return str(row)

    @tells_of("accounts.user", description=gettext_lazy("user"))
    def user_link(self, row: Customer) -> str:
        return link_to(row.user)

    @tells_of("payments.subscription", description=gettext_lazy("subscriptions"))
    def subscriptions_text(self, row: Customer) -> str:
        return format_html_join(" ", "{}", ((subscription_pill(each),) for each in row.subscriptions.all())) or NONE

    @tells_of("payments.order", description=gettext_lazy("orders with this e-mail address"))
    def orders_text(self, row: Customer) -> str:
        """The newest first."""
        if not row.email:
            return NONE
        orders = Order.objects.filter(email=row.email).order_by("-created_at")[:ORDERS_SHOWN]
        lines = ((link_to(order, str(order)), order.price, order.get_status_display()) for order in orders)
        return format_html_join("", "<div>{} · {} · {}</div>", lines) or _("None.")
