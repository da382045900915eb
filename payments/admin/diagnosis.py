"""The screen "Diagnose": one sentence, what was found with its evidence and its button, and the story."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.kit.buttons import Button, action_button
from payments.admin.kit.display import BAD, CARE, GOOD, OFF, link_to, page_of, pill
from payments.admin.kit.screens import ReadOnlyAdmin, may_see
from payments.admin.kit.story import shown_moments
from payments.diagnosis.diagnose import Diagnosis, Outcome, diagnose, subjects_of, verdict_of
from payments.diagnosis.findings import Finding, Remedy, Severity, name_of
from payments.diagnosis.look_up import is_id, look_up
from payments.diagnosis.webhooks import WebhookReport, diagnose_webhooks
from payments.ledger.models import RefusedDeliveries

PERMISSION = "payments.diagnose"
TINTS = {
    Severity.FINE: GOOD, Severity.NOTE: OFF, Severity.UNCHECKED: OFF, Severity.WAITING: CARE, Severity.PROBLEM: BAD,
}  # fmt: skip
WORDS: dict[Severity, Promise] = {
    Severity.FINE: pgettext_lazy("finding", "OK"),
    Severity.NOTE: pgettext_lazy("finding", "note"),
    Severity.UNCHECKED: pgettext_lazy("finding", "not checked"),
    Severity.WAITING: pgettext_lazy("finding", "waiting"),
    Severity.PROBLEM: pgettext_lazy("finding", "problem"),
}
OUTCOMES: dict[Outcome, tuple[Promise, str]] = {
    Outcome.HEALTHY: (pgettext_lazy("diagnosis", "healthy"), GOOD),
    Outcome.FOUND: (pgettext_lazy("diagnosis", "needs attention"), BAD),
    Outcome.UNKNOWN: (pgettext_lazy("diagnosis", "unknown"), OFF),
}
HIDDEN = gettext_lazy("Some of the findings are on screens that you may not see; ask somebody who may.")


@admin.register(RefusedDeliveries)
class RefusedDeliveriesAdmin(ReadOnlyAdmin):
    """What was refused, hour by hour; no body is kept."""

    list_display = ("hour", "code", "count", "last_at", "host", "path", "request_id")
    list_filter = ("code",)
    ordering = ("-hour", "code")
    search_fields = ("request_id__exact",)


@staff_page(
    "diagnose/", name="diagnose", title=gettext_lazy("Diagnose"), job=Job.HEALTH, permission=PERMISSION,
    position=1,
)  # fmt: skip
def diagnose_view(request: HttpRequest) -> HttpResponse:
    """GET asks, and changes nothing; `stripe=1` asks Stripe too, for five seconds at most."""
    text, with_stripe = request.GET.get("q", "").strip(), bool(request.GET.get("stripe"))
    answer: Diagnosis | WebhookReport = (
        diagnose(text, at=timezone.now(), with_stripe=with_stripe)
        if text
        else diagnose_webhooks(at=timezone.now(), with_stripe=with_stripe)
    )
    shown = [each for each in answer.findings if _may_be_told(request, each)]
    context = {
        "q": text,
        "answer": answer,
        "findings": [_finding_context(request, each, alone=_alone(answer)) for each in shown],
        "hidden": HIDDEN if shown and len(shown) < len(answer.findings) else "",
        **(_diagnosis_context(request, answer, shown) if isinstance(answer, Diagnosis) else _report_context(answer)),
    }
    context = staff_context(request, title=_("Diagnose"), **context)
    return TemplateResponse(request, "admin/payments/diagnose.html", context)


def found_by_diagnosis(request: HttpRequest, text: str) -> HttpResponse | None:
    """For the search box of every page: what goes by some id, address or name is diagnosed by who may ask for it.

    An id or address of which nothing is known is as well: there is Stripe to be asked.
    """
    if not request.user.has_perm(PERMISSION) or (not is_id(text) and look_up(text).is_nothing):
        return None
    return HttpResponseRedirect(f"{reverse('admin:diagnose')}?{urlencode({'q': text})}")


admin.site.finder = found_by_diagnosis  # type: ignore[attr-defined]


def _outcome_pill(outcome: Outcome) -> SafeString:
    word, tint = OUTCOMES[outcome]
    return pill(str(word), tint)


def _report_context(report: WebhookReport) -> dict[str, Any]:
    return {"verdict": report.verdict, "outcome": _outcome_pill(report.outcome)}


def _diagnosis_context(request: HttpRequest, answer: Diagnosis, shown: Sequence[Finding]) -> dict[str, Any]:
    """The verdict speaks only of what may be shown."""
    subjects = [row for row in subjects_of(answer.named, answer.records) if _may_see_row(request, row)]
    choices = [row for row in answer.named.choices if _may_see_row(request, row)]
    moments = answer.records.story().moments if any(_may_see_row(request, row) for row in answer.records.owners) else []
    return {
        "verdict": _verdict(answer, shown, is_seen=bool(subjects or choices or shown)),
        "outcome": _outcome_pill(answer.outcome if subjects or choices or shown else Outcome.UNKNOWN),
        "subjects": [link_to(row, name_of(row)) for row in subjects],
        "choices": [(getattr(row, "email", "") or str(row), str(row)) for row in choices],
        "moments": shown_moments(request, moments),
    }


def _alone(answer: Diagnosis | WebhookReport) -> Model | None:
    subjects = subjects_of(answer.named, answer.records) if isinstance(answer, Diagnosis) else []
    return subjects[0] if len(subjects) == 1 else None


def _verdict(answer: Diagnosis, shown: Sequence[Finding], *, is_seen: bool) -> str:
    """Nobody shall learn here that something is called so which they may not see; nor that all is well if it is not."""
    if not is_seen:
        return _("Nothing here that you may see is called “%s”.") % answer.named.text
    is_told = any(each.severity >= Severity.WAITING for each in shown)
    return verdict_of(answer.named, shown) if is_told or answer.outcome is not Outcome.FOUND else str(HIDDEN)


def _may_be_told(request: HttpRequest, finding: Finding) -> bool:
    """Who may not see one of its rows on that row's own screen is not told of it here."""
    return all(_may_see_row(request, row) for row in finding.rows)


def _may_see_row(request: HttpRequest, row: Model) -> bool:
    return may_see(request, row._meta.label)


def _finding_context(request: HttpRequest, finding: Finding, *, alone: Model | None) -> dict[str, Any]:
    """`alone`: all is about this row, to which the top of the page leads."""
    return {
        "pill": pill(str(WORDS[finding.severity]), TINTS[finding.severity]),
        "sentence": finding.sentence,
        "links": [link_to(row, str(capfirst(row._meta.verbose_name))) for row in finding.rows if row != alone],
        "remedy": finding.remedy,
        "button": _button(request, finding.remedy),
        "page": _page(request, finding.remedy) if finding.remedy else "",
    }


def _button(request: HttpRequest, remedy: Remedy | None) -> Button | None:
    return action_button(request, remedy.row, remedy.action) if remedy and remedy.row is not None else None


def _page(request: HttpRequest, remedy: Remedy) -> str:
    """Where the remedy stands, for who may go there."""
    if remedy.page:
        return remedy.page if request.user.has_perm(remedy.permission) else ""
    is_seen = remedy.row is not None and not remedy.action and _may_see_row(request, remedy.row)
    return page_of(remedy.row) if is_seen and remedy.row else ""
