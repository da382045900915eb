"""The screen of incidents: opened on a form, closed by a button; what stood before and after, and how far it is."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from accounts.staff_site import MomentInput, staff_context
from accounts.trace import asked_for, sentence
from payments.admin.kit.actions import Confirmation, ReasonField, confirmed_action, signed_in
from payments.admin.kit.display import BAD, CARE, NONE, OFF, page_of, pill
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.endpoints.wanted import hears_by_cli
from payments.handlers.registry import handled_types
from payments.incidents.closing import begin_closing
from payments.incidents.models import Incident, IncidentState
from payments.incidents.opening import EndpointsLeft, IncidentRefused, Switches, open_incident
from payments.incidents.report import figures_at, lines, meanwhile
from payments.ledger.models import ALL_TYPES

SECONDS_BETWEEN_LOOKS = 3
TINTS: dict[str, str] = {IncidentState.OPEN: BAD, IncidentState.CLOSING: CARE, IncidentState.CLOSED: OFF}


class IncidentForm(forms.Form):
    """What is to be switched, and why."""

    required_css_class = "required"
    reason = ReasonField(help_text=gettext_lazy("Staff read it on every page; buyers do not."))
    ends_at = forms.DateTimeField(
        label=gettext_lazy("Expected end"), required=False, widget=MomentInput,
        help_text=gettext_lazy("You are warned half an hour before; it does not end by itself. Buyers are told it."),
    )  # fmt: skip
    pause_sales = forms.BooleanField(
        label=gettext_lazy("Pause sales"), required=False,
        help_text=gettext_lazy("Nothing can be bought. Whoever is on Stripe’s page can pay and is confirmed."),
    )  # fmt: skip
    hold_processing = forms.BooleanField(
        label=gettext_lazy("Hold all events back"), required=False,
        help_text=gettext_lazy("They are received and kept, and processed when the incident is closed."),
    )  # fmt: skip
    hold = forms.MultipleChoiceField(
        label=gettext_lazy("Hold only these types back"), required=False,
        choices=lambda: [(name, name) for name in handled_types()],
    )  # fmt: skip
    disable_endpoints = forms.BooleanField(
        label=gettext_lazy("Disable the endpoint at Stripe"), required=False,
        help_text=gettext_lazy("Stripe sends nothing; what it has missed is fetched when the incident is closed."),
    )  # fmt: skip
    notify_people = forms.BooleanField(
        label=gettext_lazy("Tell buyers"), required=False,
        help_text=gettext_lazy("Whoever has an order that waits for payment gets an e-mail now and when it is over."),
    )  # fmt: skip

    def clean_disable_endpoints(self) -> bool:
        wanted: bool = self.cleaned_data["disable_endpoints"]
        if wanted and hears_by_cli():
            raise forms.ValidationError(_("Stripe cannot reach this address, so there is no endpoint to disable."))
        return wanted

    @property
    def switches(self) -> Switches:
        """Of a form that is valid."""
        given = self.cleaned_data
        return Switches(
            pause_sales=given["pause_sales"], hold=(ALL_TYPES,) if given["hold_processing"] else given["hold"],
            disable_endpoints=given["disable_endpoints"], notify_people=given["notify_people"],
        )  # fmt: skip


def _open(form: IncidentForm, *, by: str) -> Incident | None:
    """None: the form says what stands against it. Raises EndpointsLeft once the incident is open."""
    given = form.cleaned_data
    try:
        return open_incident(
            reason=given["reason"], by=by, switches=form.switches, ends_at=given["ends_at"], at=timezone.now()
        )
    except IncidentRefused as refusal:
        form.add_error(None, str(refusal))
        return None


@confirmed_action(
    description=gettext_lazy("Close the incident…"),
    permission="payments.close_incident", applies_to=lambda row: row.state == IncidentState.OPEN,
    only_one=gettext_lazy("Choose one incident."), title=gettext_lazy("Close this incident?"),
    button=gettext_lazy("Close now"), in_transaction=False,
    consequences=(
        gettext_lazy("The endpoints that it has disabled at Stripe are enabled again."),
        gettext_lazy("What Stripe lists and no delivery has brought is fetched, from an hour before the incident on."),
        gettext_lazy("What it holds back is released and processed, the oldest first; then one can buy again."),
        gettext_lazy("The report is kept here and mailed to staff. Who was told of the incident is told of its end."),
        gettext_lazy("The workers do it; this page shows how far they have come, and need not stay open."),
    ),
)  # fmt: skip
def close(incident: Incident, confirmation: Confirmation) -> HttpResponse:
    """Says that it is over; the workers do the rest."""
    row = begin_closing(reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)
    messages.success(confirmation.request, _("The incident is being closed."))
    return redirect(page_of(row))


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """The newest first. The page of one that is being closed loads itself anew."""

    job, position = Job.HEALTH, 4
    actions = (close,)
    add_permission = "payments.open_incident"
    add_text = gettext_lazy("Open an incident")
    list_display = ("opened_at", "state_text", "reason", "opened_by", "closed_at")
    ordering = ("-pk",)
    fields = (
        "state_text", "reason", ("opened_at", "opened_by"), "ends_at", "switches_text", "progress_text", "trouble",
        ("closed_at", "closed_by"), "closed_reason", "figures_table", "meanwhile_table",
    )  # fmt: skip
    readonly_fields = ("state_text", "switches_text", "progress_text", "figures_table", "meanwhile_table")

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        """The one that is not closed."""
        return Incident.objects.filter(closed_at__isnull=True)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Not Django's own, which holds a transaction open while Stripe is asked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IncidentForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and (response := self._opened(request, form)):
            return response
        context = staff_context(request, title=str(self.add_text), form=form)
        return TemplateResponse(request, "admin/payments/incident_open.html", context)

    def _opened(self, request: HttpRequest, form: IncidentForm) -> HttpResponse | None:
        try:
            row = _open(form, by=signed_in(request).get_username())
        except EndpointsLeft as trouble:
            row = Incident.objects.filter(closed_at__isnull=True).first()
            messages.warning(request, _("The endpoints are not all disabled: %(why)s") % {"why": str(trouble)})
        else:
            messages.success(request, _("The incident is open.")) if row else None
        if row is None:
            return None
        self.log_addition(request, row, sentence(_("Added"), row.reason, *asked_for(form)))
        return redirect(page_of(row))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        if context["original"].state == IncidentState.CLOSING:
            response["Refresh"] = str(SECONDS_BETWEEN_LOOKS)
        return response

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_text(self, row: Incident) -> SafeString:
        return pill(row.get_state_display(), TINTS.get(row.state, OFF))

    @admin.display(description=gettext_lazy("what is switched"))
    def switches_text(self, row: Incident) -> SafeString | str:
        return format_html_join("", "<div>{}</div>", ((line,) for line in _switched(row))) or NONE

    @admin.display(description=gettext_lazy("progress"))
    def progress_text(self, row: Incident) -> SafeString | str:
        """Which step is at hand; of the events that waited, how many are processed."""
        if row.state != IncidentState.CLOSING:
            return NONE
        told = _("%(done)d of %(total)d") % {"done": row.drained, "total": row.to_drain}
        bar = format_html('<progress max="{}" value="{}">{}</progress> {}', row.to_drain, row.drained, told, told)
        return format_html("<div>{}</div>{}", row.get_step_display(), bar if row.to_drain else "")

    @admin.display(description=gettext_lazy("before and after"))
    def figures_table(self, row: Incident) -> SafeString:
        """As long as it is not closed, with how things stand now."""
        if not row.is_closed:
            row.report = {"after": figures_at(at=timezone.now())}
        heads = (_("figure"), _("then"), _("at its end") if row.is_closed else _("now"))
        return _table(lines(row), heads=heads)

    @admin.display(description=gettext_lazy("what happened meanwhile"))
    def meanwhile_table(self, row: Incident) -> SafeString | str:
        found = meanwhile(row)
        return _table(found) if found else NONE


def _switched(row: Incident) -> Iterator[str]:
    if row.pauses_sales:
        yield _("Sales are paused.") if not row.is_selling else _("Sales were paused.")
    if row.held:
        types = _("all events") if row.holds_all else ", ".join(row.held)
        yield _("Held back: %(types)s") % {"types": types}
    if row.endpoints:
        yield _("Endpoints disabled: %(names)s") % {"names": ", ".join(row.endpoints)}
    if row.notifies_people:
        yield _("Buyers with an order that waits for payment were told.")


def _table(rows: Iterable[tuple[str, ...]], *, heads: tuple[str, ...] = ()) -> SafeString:
    return format_html(
        '<div class="scrolled" tabindex="0"><table>{}<tbody>{}</tbody></table></div>',
        format_html("<thead><tr>{}</tr></thead>", _heads(heads)) if heads else "",
        format_html_join("", "{}", ((_row(row),) for row in rows)),
    )


def _row(words: tuple[str, ...]) -> SafeString:
    """What it is called, then its numbers."""
    name, *numbers = words
    cells = format_html_join("", '<td class="amount">{}</td>', ((number,) for number in numbers))
    return format_html('<tr><th scope="row">{}</th>{}</tr>', name, cells)


def _heads(words: tuple[str, ...]) -> SafeString:
    return format_html_join("", '<th scope="col">{}</th>', ((word,) for word in words))
