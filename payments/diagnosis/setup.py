"""Is everything set up to sell? Stripe, our own address and the mail server are asked at once, within so many seconds.

What `manage.py stripe_validate` and the screen "Stripe set-up" tell. It ends with what was refused of late.
"""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from threading import Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.shop.identity import read_shop
from payments.billing.models import Plan
from payments.diagnosis.findings import Finding, Severity
from payments.diagnosis.mail_server import ask_mail_server
from payments.diagnosis.probe import probe_webhook
from payments.diagnosis.setup_rules import SetUp, set_up_findings
from payments.diagnosis.stripe_answers import DEADLINE_SECONDS, Questions, ask_stripe
from payments.diagnosis.webhooks import WebhookReport, diagnose_webhooks, last_event_at, refused_rows
from payments.endpoints.secrets import unused_secrets

STATES: dict[Severity, str] = {
    Severity.FINE: "ok", Severity.NOTE: "note", Severity.UNCHECKED: "not checked", Severity.WAITING: "warning",
    Severity.PROBLEM: "fault",
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SetUpReport:
    """What every rule says, in their order. `webhooks`: what was refused in the last day."""

    at: datetime
    findings: Sequence[Finding]
    webhooks: WebhookReport

    def count(self, severity: Severity) -> int:
        return sum(each.severity is severity for each in self.findings)

    @property
    def is_valid(self) -> bool:
        """Nothing is wrong, and everything was looked at; warnings do not count."""
        return not (self.count(Severity.PROBLEM) or self.count(Severity.UNCHECKED))

    @property
    def verdict(self) -> str:
        """One sentence."""
        if faults := self.count(Severity.PROBLEM):
            told = ngettext("%(count)d thing is wrong.", "%(count)d things are wrong.", faults)
            return told % {"count": faults}
        if self.count(Severity.UNCHECKED):
            return _("Nothing wrong was found, but not everything could be checked.")
        return _("Everything is set up.")

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        rules = [
            {
                "rule": each.code, "state": STATES[each.severity], "sentence": each.sentence,
                "remedy": each.remedy.sentence if each.remedy else "",
                "command": each.remedy.command if each.remedy else "",
            }
            for each in self.findings
        ]  # fmt: skip
        return {
            "at": self.at, "valid": self.is_valid, "verdict": self.verdict, "checks": rules,
            "webhooks": self.webhooks.as_dict(),
        }  # fmt: skip


def validate_set_up(*, at: datetime, seconds: float = DEADLINE_SECONDS) -> SetUpReport:
    """Look at everything. Changes and sends nothing; not to be called inside a transaction."""
    ends = monotonic() + seconds
    plans = list(Plan.objects.filter(is_on_sale=True))
    probe, mail = Question(probe_webhook), Question(ask_mail_server)
    prices = tuple(dict.fromkeys(plan.stripe_price for plan in plans if plan.stripe_price))
    stripe = ask_stripe(Questions(objects=prices, about_account=True), seconds=seconds)
    found = SetUp(
        at,
        stripe,
        probe.answer(until=ends),
        mail.answer(until=ends),
        plans,
        refused_rows(at=at),
        last_event_at(),
        [use.ending for use in unused_secrets(at=at)],
        read_shop(),
    )
    return SetUpReport(at, list(set_up_findings(found)), diagnose_webhooks(at=at))


class Question(Generic[T]):
    """Asked in a thread of its own, so that nobody waits longer than they want. It must not touch the database."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self.heard: list[T] = []
        self.thread = Thread(target=copy_context().run, args=(lambda: self.heard.append(ask()),), daemon=True)
        self.thread.start()

    def answer(self, *, until: float) -> T | None:
        """What was heard by then (`time.monotonic`); None: nothing."""
        self.thread.join(max(0.0, until - monotonic()))
        return self.heard[0] if self.heard else None
