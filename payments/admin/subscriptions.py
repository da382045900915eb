"""The subscriptions' screen: who has subscribed to what, where it stands, and how it came to that."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.menu import Job
from payments.admin.kit.display import NONE, link_to, link_to_order, stripe_id_column, subscription_pill, tells_of
from payments.admin.kit.inlines import (
    ChangeInline,
    DisputeInline,
    EffectInline,
    EventInline,
    ExceptionInline,
    PaymentInline,
    RefundInline,
)
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.admin.refunds import refund_subscription_action
from payments.admin.resync import resync_subscription_action
from payments.admin.subscription_actions import cancel_subscription, give_back
from payments.billing.models import Interval, Plan, Subscription
from payments.billing.subscribers import access_until
from payments.statuses import SUBSCRIPTION_ENDED, SubscriptionStatus

UNKNOWN = "unknown"
ENDS_WITHIN_DAYS = {"7": _("Within 7 days"), "30": _("Within 30 days")}


class SubscriptionStateFilter(admin.SimpleListFilter):
    """Stripe's words, in ours."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value or UNKNOWN, label) for value, label in SubscriptionStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted = self.value()
        return queryset.filter(status="" if wanted == UNKNOWN else wanted) if wanted else queryset


class PausedFilter(admin.SimpleListFilter):
    """Those of which Stripe collects nothing at the moment."""

    title = _("collection")
    parameter_name = "collection"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("paused", _("Paused")), ("on", _("Goes on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "paused":
                return queryset.exclude(pause="")
            case "on":
                return queryset.filter(pause="")
        return queryset


class EndsSoonFilter(admin.SimpleListFilter):
    """Those whose end is planned, and near."""

    title = _("ends soon")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ENDS_WITHIN_DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ENDS_WITHIN_DAYS:
            return queryset
        until = timezone.now() + timedelta(days=int(self.value() or 0))
        return queryset.filter(cancel_at__lte=until).exclude(status__in=SUBSCRIPTION_ENDED)


class PlanFilter(admin.RelatedFieldListFilter):
    """Two plans may have the same name: their addresses differ."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(plan.pk), f"{plan.name} ({plan.slug})") for plan in Plan.objects.all()]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Nothing here is typed in: a subscription is what Stripe told of it last."""

    job, position = Job.SUBSCRIPTIONS, 0
    actions = (refund_subscription_action, cancel_subscription, give_back, resync_subscription_action)
    inlines = (ExceptionInline, PaymentInline, RefundInline, DisputeInline, ChangeInline, EventInline, EffectInline)
    list_display = ("person", "plan", "state", "terms", "period_end", "cancel_at", "doubtful", "stripe_id")
    list_display_links = ("stripe_id",)
    list_filter = (
        SubscriptionStateFilter, PausedFilter, "money_back", ("plan", PlanFilter), "needs_resync", EndsSoonFilter,
    )  # fmt: skip
    list_select_related = ("customer__user", "plan", "order")
    ordering = ("-id",)
    search_fields = ("stripe_id__exact",)
    search_help_text = _("Whole e-mail address, whole id of the subscription, the customer, an invoice or a payment.")
    fields = (
        ("state", "needs_resync"), ("person", "order_link"), ("plans_text", "terms", "prices_text"), "stripe_id_text",
        ("started_at", "trial_end"), ("period_start", "period_end"), ("access_text", "money_back"),
        ("pause", "resumes_at", "days_until_due"), ("cancel_at", "canceled_at", "ended_at"),
        ("last_paid_at", "paid_until", "covered_until", "unpaid_since"), "stripe_updated_at",
    )  # fmt: skip
    readonly_fields = (
        "state", "person", "order_link", "plans_text", "terms", "prices_text", "access_text", "stripe_id_text",
    )  # fmt: skip

    stripe_id_text = stripe_id_column("stripe_id", _("subscription"))

    def search_condition(self, term: str) -> Q | None:
        if "@" in term:
            return Q(customer__email=term)
        if term.startswith("cus_"):
            return Q(customer__stripe_id=term)
        return Q(references__name=term) if term else None

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        return Subscription.objects.filter(needs_resync=True)

    @tells_of("payments.customer", description=_("person"), ordering="customer__email")
    def person(self, row: Subscription) -> str:
        return link_to(row.customer)

    @admin.display(description=_("state"), ordering="status")
    def state(self, row: Subscription) -> str:
        return subscription_pill(row)

    @admin.display(description=_("plan"))
    def plans_text(self, row: Subscription) -> str:
        """All that it holds; it opens what any of them opens."""
        further = Plan.objects.filter(pk__in=row.further_plans) if row.further_plans else ()
        return format_html_join(", ", "{}", ((link_to(plan),) for plan in filter(None, (row.plan, *further)))) or NONE

    @admin.display(description=_("prices at Stripe"))
    def prices_text(self, row: Subscription) -> str:
        return ", ".join(row.prices) or row.price or NONE

    @admin.display(description=_("gives access until"))
    def access_text(self, row: Subscription) -> str:
        """With the days of grace, which its person is not told of."""
        until = access_until(row)
        return date_format(timezone.localtime(until), "DATETIME_FORMAT") if until else NONE

    @admin.display(description=_("price"), ordering="amount")
    def terms(self, row: Subscription) -> str:
        return terms_of(row)

    @admin.display(description=_("doubtful"), ordering="needs_resync", boolean=True)
    def doubtful(self, row: Subscription) -> bool:
        """Whether only Stripe can tell how it stands."""
        return row.needs_resync

    @tells_of("payments.order", description=_("order that began it"))
    def order_link(self, row: Subscription) -> str:
        return link_to_order(row.order)


def terms_of(row: Subscription) -> str:
    """ "€4.00 a month", "€12.00 × 3 (month)" for each third month."""
    if not row.currency:
        return NONE
    label = dict(Interval.choices).get(row.interval, row.interval)
    times = f" (× {row.interval_count})" if row.interval_count != 1 else ""
    return f"{row.price_text} {label}{times}"
