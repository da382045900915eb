"""Why do webhooks fail? What was refused in the last day, by cause; and on demand where Stripe sends, and who answers.

https://docs.stripe.com/webhooks
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments.diagnosis.causes import cause_of
from payments.diagnosis.diagnose import Outcome
from payments.diagnosis.endpoint_rules import endpoint_findings, unasked_endpoints
from payments.diagnosis.findings import Finding, Remedy, Severity, moment
from payments.diagnosis.probe import probe_findings, probe_webhook
from payments.diagnosis.stripe_answers import Questions, StripeAnswers, ask_stripe
from payments.ledger.models import EventSource, PaymentEvent, RefusedDeliveries

PERIOD = timedelta(hours=24)
ROWS_READ = 1000


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
    rows, last = refused_rows(at=at), last_event_at()
    found = [*_configuration(), *_refused(rows)]
    stripe = ask_stripe(Questions()) if with_stripe else None
    if stripe:
        told = (each for each in endpoint_findings(stripe) if each.severity is not Severity.FINE)
        found += [*told, *unasked_endpoints(stripe), *probe_findings(probe_webhook(), last_event_at=last, at=at)]
    return WebhookReport(
        at, sum(row.count for row in rows), last, sorted(found, key=lambda each: -each.severity), stripe
    )  # fmt: skip


def refused_rows(*, at: datetime) -> list[RefusedDeliveries]:
    """What was refused in the last day, the newest first."""
    return list(RefusedDeliveries.objects.filter(hour__gt=at - PERIOD).order_by("-hour")[:ROWS_READ])


def last_event_at() -> datetime | None:
    """When Stripe last brought an event that was kept."""
    brought = PaymentEvent.objects.filter(source=EventSource.WEBHOOK).order_by("-received_at")
    return brought.values_list("received_at", flat=True).first()


def _configuration() -> Iterator[Finding]:
    if not settings.STRIPE_WEBHOOK_SECRETS and not settings.STRIPE_WEBHOOK_UNSIGNED:
        yield replace(no_secret(), code="webhooks.no_secret")


def no_secret() -> Finding:
    """That nothing can be verified."""
    cause, remedy = cause_of("no_webhook_secret")
    told = _("Every delivery is refused: %(cause)s") % {"cause": cause}
    return Finding(told, remedy=Remedy(remedy), severity=Severity.PROBLEM)


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
