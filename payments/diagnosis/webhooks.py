"""Why do webhooks fail? What was refused in the last day, by cause; and on demand where Stripe sends, and who answers.

https://docs.stripe.com/webhooks
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments.diagnosis.causes import cause_of
from payments.diagnosis.diagnose import Outcome
from payments.diagnosis.findings import Finding, Remedy, Severity, moment
from payments.diagnosis.look_up import Named
from payments.diagnosis.records import Records
from payments.diagnosis.stripe_answers import Questions, StripeAnswers, ask_stripe
from payments.diagnosis.stripe_rules import WEBHOOK_PATHS, findings_of
from payments.ledger.models import EventSource, PaymentEvent, RefusedDeliveries

PERIOD = timedelta(hours=24)
ROWS_READ = 1000
PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class WebhookReport:
    """What stands in the way of deliveries, the gravest first. `refused`: how many of the last day."""

    at: datetime
    refused: int
    last_event_at: datetime | None
    findings: Sequence[Finding]
    stripe: StripeAnswers | None = None

    @property
    def outcome(self) -> Outcome:
        """As of a diagnosis."""
        if any(each.severity >= Severity.WAITING for each in self.findings):
            return Outcome.FOUND
        return Outcome.UNKNOWN if self.stripe and self.stripe.unchecked else Outcome.HEALTHY

    @property
    def verdict(self) -> str:
        """One sentence."""
        came = _("The last event came on %(moment)s") if self.last_event_at else _("No event has come yet.")
        told = _("No delivery was refused in the last 24 hours.")
        if self.refused:
            told = ngettext(
                "%(count)d delivery was refused in the last 24 hours.",
                "%(count)d deliveries were refused in the last 24 hours.", self.refused,
            )  # fmt: skip
        return f"{told} {came}" % {"count": self.refused, "moment": moment(self.last_event_at)}

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "at": self.at, "outcome": str(self.outcome), "refused": self.refused, "verdict": self.verdict,
            "last_event_at": self.last_event_at, "findings": [each.as_dict() for each in self.findings],
            "stripe": self.stripe.as_dict() if self.stripe else None,
        }  # fmt: skip


def diagnose_webhooks(*, at: datetime, with_stripe: bool = False) -> WebhookReport:
    """Two queries. `with_stripe` asks Stripe which endpoints there are, and our own address who answers there."""
    rows = list(RefusedDeliveries.objects.filter(hour__gt=at - PERIOD).order_by("-hour")[:ROWS_READ])
    webhook = PaymentEvent.objects.filter(source=EventSource.WEBHOOK).order_by("-received_at")
    last = webhook.values_list("received_at", flat=True).first()
    found = [*_configuration(), *_refused(rows)]
    stripe = ask_stripe(Questions()) if with_stripe else None
    if stripe:
        found += [*findings_of(stripe, Records(Named(""), at)), *_probe()]
    return WebhookReport(
        at, sum(row.count for row in rows), last, sorted(found, key=lambda each: -each.severity), stripe
    )  # fmt: skip


def _configuration() -> Iterator[Finding]:
    if not settings.STRIPE_WEBHOOK_SECRETS and not settings.STRIPE_WEBHOOK_UNSIGNED:
        cause, remedy = cause_of("no_webhook_secret")
        yield Finding(
            _("Every delivery is refused: %(cause)s") % {"cause": cause}, remedy=Remedy(remedy),
            code="webhooks.no_secret", severity=Severity.PROBLEM,
        )  # fmt: skip


def _refused(rows: Sequence[RefusedDeliveries]) -> Iterator[Finding]:
    """A finding for each reason, the most frequent first; each with the request id of the last one."""
    by_code: dict[str, list[RefusedDeliveries]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    for code, own in sorted(by_code.items(), key=lambda item: -sum(row.count for row in item[1])):
        last, count = own[0], sum(row.count for row in own)
        cause, remedy = cause_of(code)
        told = ngettext(
            "%(count)d delivery was refused (last: %(moment)s, %(host)s%(path)s, request %(request)s): %(cause)s",
            "%(count)d deliveries were refused (last: %(moment)s, %(host)s%(path)s, request %(request)s): %(cause)s",
            count,
        )  # fmt: skip
        values = {"host": last.host, "path": last.path, "request": last.request_id, "moment": moment(last.last_at)}
        yield Finding(
            told % {**values, "count": count, "cause": cause}, evidence=[last], remedy=Remedy(remedy),
            code=f"webhooks.{code}", severity=Severity.PROBLEM,
        )  # fmt: skip


def _probe() -> Iterator[Finding]:
    """Who answers at the address that Stripe should send to. GET delivers nothing: the webhook says 405."""
    url = f"{settings.SITE_URL}{WEBHOOK_PATHS[0]}"
    found = Finding("", remedy=Remedy(_("Look at the proxy in front of this site, and at SITE_URL.")))
    try:
        answer = requests.get(url, timeout=PROBE_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        told = _("%(url)s cannot be reached from here (%(error)s).") % {"url": url, "error": type(error).__name__}
        yield replace(found, sentence=told, code="webhooks.unreachable", severity=Severity.NOTE)
        return
    values = {"url": url, "status": answer.status_code, "target": answer.headers.get("Location", "")}
    if answer.is_redirect:
        told = _("%(url)s redirects to %(target)s: Stripe does not follow, and the event is lost.") % values
        yield replace(found, sentence=told, code="webhooks.redirected", severity=Severity.PROBLEM)
    elif answer.status_code != 405 or "X-Request-ID" not in answer.headers:
        told = _("At %(url)s something else than this site answers (status %(status)d).") % values
        yield replace(found, sentence=told, code="webhooks.other_answer", severity=Severity.PROBLEM)
    else:
        told = _("%(url)s answers as it should.") % values
        yield Finding(told, code="webhooks.reached", severity=Severity.FINE)
