"""The screen of completeness: up to when every event of Stripe is here, and what each walk had to take in."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from payments.admin.kit.display import NONE, page_of
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.backfill.models import BackfillMark, BackfillRun
from payments.ledger.models import PaymentEvent


class MissingFilter(admin.SimpleListFilter):
    """Most walks find nothing missing."""

    title = gettext_lazy("what was missing")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("gap", _("Missing for minutes")), ("some", _("Anything"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "gap":
                return queryset.filter(gap__gt=0)
            case "some":
                return queryset.filter(missing__gt=0)
        return queryset


@admin.register(BackfillRun)
class BackfillRunAdmin(ReadOnlyAdmin):
    """The newest walk first; above them the sentence that says for which time we vouch."""

    job, position = Job.HEALTH, 2
    change_list_template = "admin/payments/backfillrun_list.html"
    list_display = ("started_at", "sentence_text", "seen", "missing", "gap", "is_dry_run", "by")
    list_filter = (MissingFilter, "finished", ("started_at", admin.DateFieldListFilter))
    fields = (
        "sentence_text", ("since", "until"), ("started_at", "ended_at"), ("seen", "requests"), ("missing", "gap"),
        ("by", "is_dry_run"), "unlisted_text", "events_table",
    )  # fmt: skip
    readonly_fields = ("sentence_text", "unlisted_text", "events_table")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows if request.resolver_match and request.resolver_match.kwargs else rows.defer("events")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        mark = BackfillMark.current(at=timezone.now())
        return super().changelist_view(request, {"mark": mark, **(extra_context or {})})

    @admin.display(description=gettext_lazy("result"))
    def sentence_text(self, row: BackfillRun) -> str:
        return row.sentence

    @admin.display(description=gettext_lazy("no longer listed"))
    def unlisted_text(self, row: BackfillRun) -> str:
        return row.unlisted or NONE

    @admin.display(description=gettext_lazy("missing events"))
    def events_table(self, row: BackfillRun) -> SafeString | str:
        """Each with the page of the event that was taken in."""
        if not row.events:
            return NONE
        heads = format_html_join("", '<th scope="col">{}</th>', ((word,) for word in _heads()))
        lines = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", _lines(row.events))
        more = row.missing - len(row.events)
        return format_html(
            '<div class="scrolled" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}',
            heads, lines, format_html("<p>{}</p>", _("… and %(n)d more") % {"n": more}) if more else "",
        )  # fmt: skip


def _heads() -> tuple[str, ...]:
    return _("Stripe event"), _("type"), _("occurred"), _("cannot be taken in")


def _lines(events: Iterable[dict[str, str]]) -> Iterator[tuple[SafeString | str, str, str, str]]:
    told = list(events)
    rows = PaymentEvent.objects.filter(stripe_event_id__in=[each["id"] for each in told]).only("stripe_event_id")
    kept = {row.stripe_event_id: row for row in rows}
    for each in told:
        row = kept.get(each["id"])
        name = format_html('<a href="{}">{}</a>', page_of(row), each["id"]) if row else each["id"]
        yield name, each["type"], _moment(parse_datetime(each["occurred_at"])), each["trouble"] or NONE


def _moment(moment: datetime | None) -> str:
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT") if moment else NONE
