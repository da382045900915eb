"""Replaying events, some that were chosen or all that fail in the same way: shown first, and followed while it runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.menu import Job
from accounts.staff_site import staff_context
from payments.admin.kit.actions import Confirmation, ScreenAction, Text, confirmed_action, screen_action
from payments.admin.kit.display import BAD, CARE, GOOD, NONE, OFF, link_to, page_of, pill
from payments.admin.kit.preview import Line, Preview, PreviewedAction, PreviewOutdated, PreviewToken
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.ledger.models import HAS_FAILED, HeldType, PaymentEvent
from payments.processing.failure_groups import MAX_COUNT, FailureGroup, failure_groups, find_group
from payments.processing.models import ReplayRun, ReplayState
from payments.processing.replay import MAX_EVENTS_AT_ONCE, Replayed, ReplayMoved, ReplayRefused, replay_events
from payments.processing.replay_runs import Selection, cancel_run, continue_run, start_run
from payments.statuses import EVENT_FAILING, EventStatus

REPLAY = "payments.replay_paymentevent"
EVENTS_REPLAYED_AT_ONCE = 500
EVENTS_SHOWN, RUNS_SHOWN = 20, 5
SECONDS_BETWEEN_LOOKS = 3
STATE_TINTS: dict[str, str] = {
    ReplayState.RUNNING: CARE, ReplayState.DONE: GOOD, ReplayState.STOPPED: BAD, ReplayState.CANCELED: OFF,
}  # fmt: skip
MOVED = gettext_lazy("Something has changed since: this is what happens now.")


class ReplayAction(PreviewedAction[Sequence[PaymentEvent]]):
    """Events that were chosen: a few are replayed while the page waits, of more the first are shown."""

    columns = (gettext_lazy("What"), gettext_lazy("Now"), gettext_lazy("Then"))
    button = gettext_lazy("Replay now")

    def as_action(self, name: str, **options: Any) -> ScreenAction:
        def run(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse:
            chosen = rows.defer("payload")[:EVENTS_REPLAYED_AT_ONCE]
            return self.answer(screen, request, sorted(chosen, key=lambda event: (event.occurred_at, event.pk)))

        run.__name__ = name
        return ScreenAction(run, **options)

    def answer(self, screen: admin.ModelAdmin, request: HttpRequest, target: Sequence[PaymentEvent]) -> HttpResponse:
        try:
            return super().answer(screen, request, target)
        except ReplayRefused as refusal:
            messages.warning(request, str(refusal))
            return redirect(self.address_after(request, target))

    def preview(self, target: Sequence[PaymentEvent], *, at: datetime) -> Preview:
        shown = target[:MAX_EVENTS_AT_ONCE]
        found = replay_events(_keys(shown), by=None, reason="", at=at, dry_run=True)
        if len(target) == 1:
            title = _("Replay %(event)s?") % {"event": target[0].stripe_event_id}
        else:
            title = ngettext("Replay %(count)d event?", "Replay %(count)d events?", len(target)) % {
                "count": len(target)
            }
        return _preview(found, before=shown, title=title, more=len(target) - len(shown))

    def carry_out(
        self, target: Sequence[PaymentEvent], confirmation: Confirmation, *, token: PreviewToken
    ) -> int | HttpResponse:
        is_all = len(target) <= MAX_EVENTS_AT_ONCE
        _replay_as_shown(target[:MAX_EVENTS_AT_ONCE], confirmation, token, dry_run=not is_all)
        if is_all:
            return len(target)
        ids = tuple(event.stripe_event_id for event in target)
        return _begin(Selection(ids=ids), confirmation)

    def done_message(self, count: int) -> str:
        return ngettext("%(count)d event was replayed.", "%(count)d events were replayed.", count) % {"count": count}

    def address_after(self, request: HttpRequest, target: Sequence[PaymentEvent]) -> str:
        return page_of(target[0]) if len(target) == 1 else reverse("admin:payments_paymentevent_changelist")


class GroupReplay(PreviewedAction[FailureGroup]):
    """All that fail in the same way: the first are shown, then the workers replay them in order."""

    columns = ReplayAction.columns
    button = gettext_lazy("Replay the group now")

    def preview(self, target: FailureGroup, *, at: datetime) -> Preview:
        shown = events_of(target.key)
        found = replay_events(_keys(shown), by=None, reason="", at=at, dry_run=True)
        count = ngettext("Replay %(count)d event?", "Replay %(count)d events?", target.count)
        title = _("Replay %(count)d events and more?") if target.has_more else count
        return _preview(found, before=shown, title=title % {"count": target.count}, more=target.count - len(shown))

    def carry_out(self, target: FailureGroup, confirmation: Confirmation, *, token: PreviewToken) -> HttpResponse:
        _replay_as_shown(events_of(target.key), confirmation, token, dry_run=True)
        return _begin(Selection(group=target.key), confirmation)

    def done_message(self, count: int) -> str:
        return _("The group is being replayed.")

    def address_after(self, request: HttpRequest, target: FailureGroup) -> str:
        return address_of(target)


REPLAY_ACTION = ReplayAction().as_action(
    "replay", description=gettext_lazy("Replay the selected events…"), label=gettext_lazy("Replay…"), permission=REPLAY
)
GROUP_REPLAY = GroupReplay()


def _replay_as_shown(
    events: Sequence[PaymentEvent], confirmation: Confirmation, token: PreviewToken, *, dry_run: bool
) -> Replayed:
    """Raises PreviewOutdated where something else would come of it than what was shown."""
    try:
        return replay_events(
            _keys(events), by=confirmation.by, reason=confirmation.reason, at=confirmation.at, dry_run=dry_run,
            expected=token.get("events", []),
        )  # fmt: skip
    except ReplayMoved as moved:
        raise PreviewOutdated(str(MOVED)) from moved


def _begin(selection: Selection, confirmation: Confirmation) -> HttpResponse:
    """Leads to the page that shows how far it has come."""
    run = start_run(selection, by=confirmation.by, reason=confirmation.reason, at=confirmation.at)
    return redirect(page_of(run))


def _keys(events: Sequence[PaymentEvent]) -> list[int]:
    return [event.pk for event in events]


def _preview(found: Replayed, *, before: Sequence[PaymentEvent], title: str, more: int) -> Preview:
    """How each event ends, then what that changes, sends and asks."""
    was = {event.pk: event for event in before}
    ends: list[Line] = [(link_to(event), _state_text(was[event.pk]), _state_text(event)) for event in found.events]
    consequences: list[Text] = [
        _("Each event is processed again, by the same rules as on its first day."),
        _("Nothing is sent, refunded or told to Stripe a second time."),
    ]
    if more > 0:
        consequences += [
            _("Only the first %(count)d are shown; the workers replay all of them in the order in which they happened.")
            % {"count": len(before)},
            _("They stop at the first event that fails again. Fresh events come first."),
        ]
    else:
        consequences.append(_("It is done only if it still does what you see here."))
    changes = found.outcome.sections
    return Preview(
        title=title,
        token={"events": found.fingerprints},
        sections=[(_("Events"), ends), *(changes or [(_("What changes"), [])])],
        consequences=consequences,
        no_lines=gettext_lazy("Nothing changes."),
        outcome=found.outcome,
    )


def _state_text(event: PaymentEvent) -> str:
    """Its state, with why: an error's own words, which are English."""
    why = event.error if event.status in EVENT_FAILING else event.ignored_reason
    label = str(EventStatus(event.status).label)
    return f"{label}: {why[:200]}" if why else label


# Failure groups: on top of the ledger's list, and a page for each.


def events_of(key: str) -> list[PaymentEvent]:
    """The first of the group in the order in which they happened, without payload."""
    rows = PaymentEvent.objects.filter(HAS_FAILED, error_group=key).select_related("order", "subscription")
    return list(rows.defer("payload").order_by("occurred_at", "pk")[:MAX_EVENTS_AT_ONCE])


def address_of(group: FailureGroup) -> str:
    """Its own page."""
    return reverse("admin:payments_failures", args=[group.key])


def groups_in_words() -> list[dict[str, Any]]:
    """For the list on top of the ledger."""
    return [_in_words(group) for group in failure_groups()]


def _in_words(group: FailureGroup) -> dict[str, Any]:
    count = _("%(count)d and more") % {"count": MAX_COUNT} if group.has_more else str(group.count)
    return {
        "group": group, "address": address_of(group), "count": count, "error": group.error or group.error_kind,
    }  # fmt: skip


def failures_page(screen: admin.ModelAdmin, request: HttpRequest, key: str) -> HttpResponse:
    """What fails so, the first of them, and the ways out. Raises Http404 where nothing fails so any more."""
    group = _require(screen, request, key)
    context = staff_context(
        request, title=_("Events that fail in the same way"), **_in_words(group), events=events_of(key),
        may_replay=request.user.has_perm(REPLAY), hold=HeldType.objects.filter(type=group.type).first(),
        runs=ReplayRun.objects.filter(selection={"group": key}).order_by("-pk")[:RUNS_SHOWN],
    )  # fmt: skip
    return TemplateResponse(request, "admin/payments/failures.html", context)


def replay_group_page(screen: admin.ModelAdmin, request: HttpRequest, key: str) -> HttpResponse:
    """Shows what a replay of the group does, and begins it once that is confirmed; by POST only."""
    group = _require(screen, request, key)
    if request.method != "POST" or not request.user.has_perm(REPLAY):
        raise PermissionDenied
    try:
        return GROUP_REPLAY.answer(screen, request, group)
    except ReplayRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect(address_of(group))


def _require(screen: admin.ModelAdmin, request: HttpRequest, key: str) -> FailureGroup:
    if not screen.has_view_permission(request):
        raise PermissionDenied
    if (group := find_group(key)) is None:
        raise Http404
    return group


# The runs: how far each has come.


@screen_action(
    description=gettext_lazy("Cancel the replay"), permission=REPLAY,
    applies_to=lambda run: run.state == ReplayState.RUNNING, only_one=gettext_lazy("Choose one replay."),
)  # fmt: skip
def cancel(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse:
    """At once: what is replayed stays so, and it can be gone on with."""
    try:
        cancel_run(rows[0], by=request.user, at=timezone.now())
    except ReplayRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect(page_of(rows[0]))


@confirmed_action(
    description=gettext_lazy("Continue…"), permission=REPLAY,
    applies_to=lambda run: run.state in (ReplayState.STOPPED, ReplayState.CANCELED) and run.left > 0,
    only_one=gettext_lazy("Choose one replay."), title=gettext_lazy("Continue this replay?"),
    button=gettext_lazy("Continue now"),
    consequences=(
        gettext_lazy("It goes on behind the event that failed; that one keeps its place in its failure group."),
        gettext_lazy("Nothing is sent, refunded or told to Stripe a second time."),
    ),
)  # fmt: skip
def go_on(run: ReplayRun, confirmation: Confirmation) -> HttpResponse:
    continue_run(run, by=confirmation.by, reason=confirmation.reason, at=confirmation.at)
    return redirect(page_of(run))


@admin.register(ReplayRun)
class ReplayRunAdmin(ReadOnlyAdmin):
    """The newest first. The page of one that runs loads itself anew: nobody has to stay for it to go on."""

    job, position = Job.EVENTS, 10
    actions = (cancel, go_on)
    list_display = ("started_at", "state_text", "progress_text", "healed", "failed", "started_by", "reason")
    list_filter = ("state",)
    list_select_related = ("started_by",)
    ordering = ("-pk",)
    fields = (
        "state_text", "progress_text", ("healed", "failed", "passed_over_text"), "failed_event_text", "choice_text",
        ("started_at", "finished_at"), ("started_by", "source"), "reason", "stops_at_error",
    )  # fmt: skip
    readonly_fields = ("state_text", "progress_text", "passed_over_text", "failed_event_text", "choice_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("failed_event").defer("failed_event__payload")
        return rows.defer("event_ids", "failed_event__payload")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        run = context.get("original")
        if run and run.state == ReplayState.RUNNING:
            response["Refresh"] = str(SECONDS_BETWEEN_LOOKS)
        return response

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_text(self, run: ReplayRun) -> str:
        return pill(run.get_state_display(), STATE_TINTS.get(run.state, OFF))

    @admin.display(description=gettext_lazy("progress"))
    def progress_text(self, run: ReplayRun) -> SafeString:
        told = _("%(done)d of %(total)d") % {"done": run.position, "total": run.total}
        return format_html('<progress max="{}" value="{}">{}</progress> {}', run.total, run.position, told, told)

    @admin.display(description=gettext_lazy("skipped"))
    def passed_over_text(self, run: ReplayRun) -> str:
        """A worker had them in hand at that moment, or they are gone."""
        return str(run.passed_over)

    @admin.display(description=gettext_lazy("last failed event"))
    def failed_event_text(self, run: ReplayRun) -> SafeString | str:
        event = run.failed_event
        return format_html("{}: {}", link_to(event, str(event)), event.error or event.status) if event else NONE

    @admin.display(description=gettext_lazy("selection"))
    def choice_text(self, run: ReplayRun) -> SafeString | str:
        """In the words of the command line."""
        chosen = ((f"--{name}", _choice(value)) for name, value in run.selection.items())
        return format_html_join("", "<div><code>{} {}</code></div>", chosen) or NONE


def _choice(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    return " ".join(value[:EVENTS_SHOWN]) + (" …" if len(value) > EVENTS_SHOWN else "")
