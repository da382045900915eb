"""The subscriptions' screen: who has subscribed to what, where it stands, and how it came to that."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.menu import Job
from payments.admin.kit.display import (
    NONE,
    amount,
    link_to,
    links_to,
    moment_text,
    stripe_id,
    stripe_id_column,
    subscription_pill,
    tells_of,
)  # fmt: skip
from payments.admin.kit.screens import is_page, may_see
from payments.admin.kit.story import Fact, StoryAdmin
from payments.admin.refunds import refund_subscription_action
from payments.admin.resync import resync_subscription_action
from payments.admin.subscription_actions import cancel_subscription, give_back
from payments.billing.models import Plan, Subscription
from payments.billing.subscribers import access_until
from payments.statuses import SUBSCRIPTION_ENDED, SubscriptionStatus
from payments.timeline import Subject
from payments.timeline.standing import terms_text

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
class SubscriptionAdmin(StoryAdmin):
    """Nothing here is typed in: a subscription is what Stripe told of it last."""

    job, position = Job.SUBSCRIPTIONS, 0
    actions = (refund_subscription_action, cancel_subscription, give_back, resync_subscription_action)
    resync_permission = "payments.resync_subscription"
    list_display = ("person", "plan", "state", "terms", "period_end", "cancel_at", "doubtful", "stripe_id_text")
    list_display_links = ("plan",)
    list_filter = (
        SubscriptionStateFilter, PausedFilter, "money_back", ("plan", PlanFilter), "needs_resync", EndsSoonFilter,
    )  # fmt: skip
    list_select_related = ("customer__user", "plan", "order")
    ordering = ("-id",)
    search_fields = ("stripe_id__exact",)
    search_help_text = _("Whole e-mail address, whole id of the subscription, the customer, an invoice or a payment.")

    stripe_id_text = stripe_id_column("stripe_id", _("subscription"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        if not is_page(request):
            return rows
        return rows.select_related("customer__user", "plan", "order").prefetch_related("payments")

    def facts(self, request: HttpRequest, subject: Subject) -> Iterator[Fact]:
        [row] = subject.subscriptions
        yield gettext("State"), subscription_pill(row)
        if row.needs_resync:
            yield gettext("In doubt"), gettext("Only Stripe can tell how it stands: compare it with Stripe.")
        if row.customer and may_see(request, "payments.customer"):
            yield gettext("Person"), link_to(row.customer)
        if row.order and may_see(request, "payments.order"):
            yield gettext("Began with"), link_to(row.order, row.order.number)
        further = Plan.objects.filter(pk__in=row.further_plans) if row.further_plans else ()
        yield gettext("Plan"), links_to((plan, str(plan)) for plan in filter(None, (row.plan, *further)))
        yield gettext("Price"), terms_text(row)
        yield gettext("Quantity"), str(row.quantity) if row.quantity != 1 else ""
        yield gettext("Prices at Stripe"), ", ".join(row.prices) or row.price
        yield gettext("Subscription at Stripe"), stripe_id(row.stripe_id)
        yield from self._dates(row)

    def _dates(self, row: Subscription) -> Iterator[Fact]:
        """Until when it gives access stands with the days of grace, which its person is not told of."""
        yield gettext("Began"), moment_text(row.started_at)
        yield gettext("Trial ends"), moment_text(row.trial_end)
        yield gettext("Present period began"), moment_text(row.period_start)
        yield gettext("Present period ends"), moment_text(row.period_end)
        yield gettext("Gives access until"), moment_text(access_until(row))
        yield gettext("Ends"), moment_text(row.cancel_at)
        yield gettext("End asked for"), moment_text(row.canceled_at)
        yield gettext("Ended"), moment_text(row.ended_at)
        yield gettext("Collection paused"), row.pause
        yield gettext("Collected again"), moment_text(row.resumes_at)
        yield gettext("Unpaid since"), moment_text(row.unpaid_since)
        yield gettext("Money of the period went back"), row.get_money_back_display() if row.money_back else ""
        yield gettext("Last news from Stripe"), moment_text(row.stripe_updated_at)

    def search_condition(self, term: str) -> Q | None:
        if "@" in term:
            return Q(customer__email=term)
        if term.startswith("cus_"):
            return Q(customer__stripe_id=term)
        return Q(references__name=term) if term else None

    def named(self, term: str) -> Q | None:
        return Q(stripe_id=term) if term.startswith("sub_") else None

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        return Subscription.objects.filter(needs_resync=True)

    @tells_of("payments.customer", description=_("person"), ordering="customer__email")
    def person(self, row: Subscription) -> str:
        return link_to(row.customer)

    @admin.display(description=_("state"), ordering="status")
    def state(self, row: Subscription) -> str:
        return subscription_pill(row)

    @admin.display(description=_("price"), ordering="amount")
    def terms(self, row: Subscription) -> str:
        return amount(terms_text(row)) or NONE

    @admin.display(description=_("doubtful"), ordering="needs_resync", boolean=True)
    def doubtful(self, row: Subscription) -> bool:
        """Whether only Stripe can tell how it stands."""
        return row.needs_resync
