"""The ledger's screen: every event that came, what was tried and what it changed; replay with a reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy

from payments.admin.base import ReadOnlyAdmin, ReadOnlyInline, link_to_owner, pretty
from payments.admin.replay import replay
from payments.admin.search import order_named
from payments.handlers.registry import handled_types
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.orders.labels import name_of, value_of


class TypeFilter(admin.SimpleListFilter):
    """The types that we handle; asking the table which types there are would read all of it."""

    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in handled_types()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(type=self.value()) if self.value() else queryset


class AttemptInline(ReadOnlyInline):
    """Every try, the latest last."""

    model = EventAttempt
    fields = (
        "number", "trigger", "requested_by", "requested_reason", "started_at", "outcome", "reason", "error",
        "changes_text",
    )  # fmt: skip
    readonly_fields = ("changes_text",)
    ordering = ("number", "id")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("requested_by", "event__order", "event__subscription")
        return rows.defer("event__payload")

    @admin.display(description=gettext_lazy("changes"))
    def changes_text(self, attempt: EventAttempt) -> str:
        """A line for each."""
        owner = attempt.event.order or attempt.event.subscription
        currency = owner.currency if owner else ""
        lines = (
            (
                name_of(change["what"]),
                value_of(change["what"], change["before"], currency=currency),
                value_of(change["what"], change["after"], currency=currency),
            )
            for change in attempt.changes
        )
        return format_html_join("\n", "<div>{}: {} → {}</div>", lines) or "–"


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    """Read-only; a replay is the one thing that one can ask for."""

    actions = (replay,)
    change_form_template = "admin/payments/paymentevent/change_form.html"
    inlines = (AttemptInline,)
    list_display = (
        "type", "status", "received_at", "owner_link", "attempts", "lag_text", "stripe_event_id", "request_id",
    )  # fmt: skip
    list_filter = ("status", TypeFilter, "source", "livemode", ("received_at", admin.DateFieldListFilter))
    list_select_related = ("order", "subscription")
    ordering = ("-received_at",)
    # `__exact` and not "=", which ignores case and so finds no index.
    search_fields = ("stripe_event_id__exact", "object_id__exact", "request_id__exact")
    search_help_text = gettext_lazy("Whole Stripe event or object id, request id, order number or order id.")
    fields = (
        ("status", "ignored_reason"), ("stripe_event_id", "type"), ("owner_link", "object_id"),
        ("occurred_at", "received_at"), ("processed_at", "lag_text"), ("attempts", "next_attempt_at"),
        ("error_kind", "error"), ("source", "request_id"), ("api_version", "livemode", "account"), "references",
        "body_sha256", "payload_text",
    )  # fmt: skip
    readonly_fields = ("owner_link", "lag_text", "payload_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows if self._shows_one(request) else rows.defer("payload")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        order = order_named(search_term.strip(), prefix="order__")
        return (queryset.filter(order), False) if order else super().get_search_results(request, queryset, search_term)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.replay_paymentevent")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["may_replay"] = self.has_replay_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("order or subscription"), ordering="order")
    def owner_link(self, event: PaymentEvent) -> str:
        return link_to_owner(event)

    @admin.display(description=gettext_lazy("lag"))
    def lag_text(self, event: PaymentEvent) -> str:
        return format_html("{} s", number_format(event.lag.total_seconds(), 2)) if event.lag is not None else "–"

    @admin.display(description=gettext_lazy("payload"))
    def payload_text(self, event: PaymentEvent) -> str:
        return pretty(event.payload)

    @staticmethod
    def _shows_one(request: HttpRequest) -> bool:
        return bool(request.resolver_match and "object_id" in request.resolver_match.kwargs)


@admin.register(EventAttempt)
class EventAttemptAdmin(ReadOnlyAdmin):
    """Every try of every event."""

    list_display = ("id", "event", "number", "trigger", "outcome", "reason", "error_kind", "started_at")
    list_filter = ("outcome", "trigger")
    ordering = ("-id",)
    search_fields = ("event__stripe_event_id__exact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("event", "requested_by").defer("event__payload")
