"""The road's screens: events that came in, what was tried, what holds them back, and the effects that go out."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.menu import Job
from accounts.personal import shown_data
from payments.admin.kit.actions import Confirmation, confirmed_action
from payments.admin.kit.display import NONE, diagnosis_links, link_to_owner, pretty, stripe_id_column, tells_of
from payments.admin.kit.screens import ListAdmin, ReadOnlyAdmin, ReadOnlyInline
from payments.admin.replays import REPLAY_ACTION, failures_page, groups_in_words, replay_group_page
from payments.admin.search import events_called
from payments.effects.models import Effect
from payments.handlers.registry import handled_types
from payments.ledger.models import EventAttempt, HeldType, PaymentEvent, Redelivery
from payments.orders.labels import name_of, value_of
from payments.processing.replay import release_held
from payments.statuses import EventStatus


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
        return format_html_join("\n", "<div>{}: {} → {}</div>", lines) or NONE


class RedeliveryInline(ReadOnlyInline):
    """How often Stripe came again with it."""

    model = Redelivery
    fields = ("received_at", "request_id")
    ordering = ("pk",)
    show_change_link = False


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    """Read-only; a replay is the one thing that one can ask for. What fails in the same way stands on top, as one."""

    job, position = Job.EVENTS, 0
    actions = (REPLAY_ACTION,)
    change_list_template = "admin/payments/paymentevent_list.html"
    inlines = (AttemptInline, RedeliveryInline)
    list_display = (
        "type_text", "status", "received_at", "owner_link", "attempts", "lag_text", "stripe_event_id_text",
    )  # fmt: skip
    list_filter = ("status", TypeFilter, "source", ("received_at", admin.DateFieldListFilter))
    list_select_related = ("order", "subscription")
    ordering = ("-pk",)
    # What there is to search by is `search_condition`; without a field Django shows no search box.
    search_fields = ("stripe_event_id__exact",)
    search_help_text = gettext_lazy(
        "Any whole id that an event names (Stripe’s, or of a registration), a request id, an order’s number or id."
    )
    fields = (
        ("status", "ignored_reason"), ("stripe_event_id_text", "type"), ("owner_link", "object_id_text"),
        ("occurred_at", "received_at"), ("processed_at", "lag_text"), ("attempts", "next_attempt_at"),
        ("error_kind", "error"), ("source", "request_id"), ("api_version", "livemode", "account"), "references",
        "body_sha256", "payload_text",
    )  # fmt: skip
    readonly_fields = ("owner_link", "lag_text", "payload_text", "stripe_event_id_text", "object_id_text")

    stripe_event_id_text = stripe_id_column("stripe_event_id", gettext_lazy("Stripe event"))
    object_id_text = stripe_id_column("object_id", gettext_lazy("object"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows if self._shows_one(request) else rows.defer("payload")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("failures/<slug:key>/", wrap(partial(failures_page, self)), name="payments_failures"),
            path("failures/<slug:key>/replay/", wrap(partial(replay_group_page, self)), name="payments_replay_group"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        groups = groups_in_words() if request.method == "GET" else []
        return super().changelist_view(request, {"failure_groups": groups, **(extra_context or {})})

    def search_condition(self, term: str) -> Q | None:
        return events_called(term) if term else None

    def named(self, term: str) -> Q | None:
        return Q(stripe_event_id=term) if term.startswith("evt_") else None

    def found(self, term: str) -> Q | None:
        """An event names ids, not people."""
        return events_called(term) if "@" not in term else None

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        return PaymentEvent.objects.filter(status=EventStatus.FAILED)

    @tells_of(
        "payments.order", "payments.subscription", description=gettext_lazy("order or subscription"), ordering="order"
    )
    def owner_link(self, event: PaymentEvent) -> str:
        return link_to_owner(event)

    @admin.display(description=gettext_lazy("lag"))
    def lag_text(self, event: PaymentEvent) -> str:
        return format_html("{} s", number_format(event.lag.total_seconds(), 2)) if event.lag is not None else NONE

    @admin.display(description=gettext_lazy("type"))
    def type_text(self, event: PaymentEvent) -> str:
        """A narrow column breaks it between its parts."""
        return format_html_join(mark_safe(".<wbr>"), "{}", ((part,) for part in event.type.split(".")))

    @admin.display(description=gettext_lazy("payload"))
    def payload_text(self, event: PaymentEvent) -> str:
        return pretty(shown_data(event.payload))

    def row_links(self, request: HttpRequest, row: PaymentEvent) -> list[tuple[str, str]]:
        return diagnosis_links(request, row.stripe_event_id)

    @staticmethod
    def _shows_one(request: HttpRequest) -> bool:
        return bool(request.resolver_match and "object_id" in request.resolver_match.kwargs)


@admin.register(EventAttempt)
class EventAttemptAdmin(ReadOnlyAdmin):
    """Every try of every event."""

    job, position = Job.TECHNICAL, 0
    list_display = ("id", "event", "number", "trigger", "outcome", "reason", "error_kind", "started_at")
    ordering = ("-id",)
    search_fields = ("event__stripe_event_id__exact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("event", "requested_by").defer("event__payload")


def type_choices() -> list[tuple[str, str]]:
    """A type that nobody handles needs no holding, and a misspelt one would hold nothing."""
    return [("", "---------"), *((name, name) for name in handled_types())]


class HoldForm(forms.ModelForm):
    """Which type, and why."""

    type = forms.ChoiceField(label=gettext_lazy("event type"), choices=type_choices)


@confirmed_action(
    description=gettext_lazy("Release…"), permission="payments.release_heldtype",
    title=gettext_lazy("Release these event types?"), button=gettext_lazy("Release now"), limit=None,
    consequences=(
        gettext_lazy("What was set aside is processed from now on, and what comes is not held back any more."),
    ),
)  # fmt: skip
def release(held: HeldType, confirmation: Confirmation) -> None:
    """Ends the hold."""
    count = release_held(type=held.type, by=confirmation.by, reason=confirmation.reason, at=confirmation.at)
    released = ngettext("%(count)d event of %(type)s released.", "%(count)d events of %(type)s released.", count)
    messages.success(confirmation.request, released % {"count": count, "type": held.type})


@admin.register(HeldType)
class HeldTypeAdmin(ListAdmin):
    """Adding holds from the next batch on, releasing ends that. There is nothing to change about a hold."""

    actions = (release,)
    job, position = Job.EVENTS, 1
    form = HoldForm
    add_text = gettext_lazy("Hold an event type")
    fields = ("type", "reason", "ends_at")
    list_display = ("type", "held_at", "held_by", "reason", "ends_at")
    list_select_related = ("held_by",)
    ordering = ("type",)

    def has_change_permission(self, request: HttpRequest, obj: HeldType | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: HeldType | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: HeldType, form: Any, change: bool) -> None:
        obj.held_by_id = request.user.pk
        obj.save(force_insert=True)


@admin.register(Effect)
class EffectAdmin(ReadOnlyAdmin):
    """State "uncertain": the worker died in between, so that it may have happened or not; a person must look."""

    job, position = Job.TECHNICAL, 3
    list_display = ("key", "kind", "owner_link", "status", "attempts", "not_before", "delivered_at", "outcome_text")
    list_filter = ("status",)
    list_select_related = ("order", "subscription")
    ordering = ("-id",)
    search_fields = ("key__exact",)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome_text(self, effect: Effect) -> str:
        """Our own sentences are stored in English; what a server said stays as it is."""
        return _(effect.outcome) if effect.outcome else ""

    @tells_of(
        "payments.order", "payments.subscription", description=gettext_lazy("order or subscription"), ordering="order"
    )
    def owner_link(self, effect: Effect) -> str:
        return link_to_owner(effect)
