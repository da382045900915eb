"""The screen "Stripe set-up": what `manage.py stripe_validate` says, asked by a button and for five seconds at most."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.diagnosis import PERMISSION, TINTS
from payments.admin.kit.display import pill
from payments.diagnosis.endpoint_rules import told_of
from payments.diagnosis.findings import Finding, Severity
from payments.diagnosis.setup import validate_set_up
from payments.endpoints.drift import last_drift

WORDS: dict[Severity, Promise] = {
    Severity.FINE: pgettext_lazy("check", "OK"),
    Severity.NOTE: pgettext_lazy("check", "note"),
    Severity.UNCHECKED: pgettext_lazy("check", "not checked"),
    Severity.WAITING: pgettext_lazy("check", "warning"),
    Severity.PROBLEM: pgettext_lazy("check", "fault"),
}


@staff_page(
    "stripe-setup/", name="stripe_setup", title=gettext_lazy("Stripe set-up"), job=Job.HEALTH, permission=PERMISSION,
    position=2,
)  # fmt: skip
def stripe_setup_view(request: HttpRequest) -> HttpResponse:
    """GET changes nothing; only `check=1` asks Stripe, our own address and the mail server."""
    report = validate_set_up(at=timezone.now()) if request.GET.get("check") else None
    drift = None if report else last_drift()
    shown: dict[str, Any] = {
        "report": report,
        "drift": drift,
        "drifted": _rows(map(told_of, drift.differences)) if drift else [],
        "findings": _rows(report.findings) if report else [],
        "refused": _rows(report.webhooks.findings) if report else [],
    }
    return TemplateResponse(
        request, "admin/payments/stripe_setup.html", staff_context(request, title=_("Stripe set-up"), **shown)
    )


def _rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {"pill": pill(str(WORDS[each.severity]), TINTS[each.severity]), "finding": each, "remedy": each.remedy}
        for each in findings
    ]
