"""The answer to "why?": what was named, everything known of it, what every rule finds, and one sentence on top."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments.diagnosis.findings import Finding, Severity, all_rules, name_of
from payments.diagnosis.look_up import Named, look_up
from payments.diagnosis.records import Records, read_records
from payments.diagnosis.stripe_answers import StripeAnswers, ask_stripe, questions_about
from payments.diagnosis.stripe_rules import findings_of
from payments.products import all_products

# The order in which they are imported is that of equally grave findings.
for _module in ("order_rules", "event_rules", "mail_rules", "subscription_rules"):
    import_module(f"payments.diagnosis.{_module}")


class Outcome(StrEnum):
    """In one word; the exit code of the command."""

    HEALTHY = "healthy"
    FOUND = "found"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        return list(Outcome).index(self)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found out; the gravest first. `stripe`: what Stripe has answered, where it was asked."""

    named: Named
    records: Records
    findings: Sequence[Finding]
    stripe: StripeAnswers | None = None

    @property
    def outcome(self) -> Outcome:
        """Whether something is not (yet) as it should be. Unknown: nothing or several people go by that name, or Stripe
        was to be asked and did not answer all.
        """
        if any(each.severity >= Severity.WAITING for each in self.findings):
            return Outcome.FOUND
        is_open = self.named.is_nothing or self.named.choices or (self.stripe and self.stripe.unchecked)
        return Outcome.UNKNOWN if is_open else Outcome.HEALTHY

    @property
    def verdict(self) -> str:
        """One sentence."""
        return verdict_of(self.named, self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": self.named.text, "at": self.records.at, "outcome": str(self.outcome), "verdict": self.verdict,
            "about": [_as_dict(row) for row in subjects_of(self.named, self.records)],
            "choices": [_as_dict(row) for row in self.named.choices],
            "findings": [each.as_dict() for each in self.findings],
            "stripe": self.stripe.as_dict() if self.stripe else None,
        }  # fmt: skip


def diagnose(text: str, *, at: datetime, with_stripe: bool = False) -> Diagnosis:
    """Find out. Changes nothing; `with_stripe` asks Stripe too, for five seconds at most and not in a transaction."""
    named = look_up(text)
    records = read_records(named, at=at)
    stripe = ask_stripe(questions_about(records)) if with_stripe else None
    found = [*_findings(records), *(findings_of(stripe, records) if stripe else ())]
    return Diagnosis(named, records, sorted(found, key=lambda each: -each.severity), stripe)


def _findings(records: Records) -> Iterator[Finding]:
    for find in all_rules().values():
        yield from find(records)
    for product in all_products():
        yield from product.diagnose(records)


def verdict_of(named: Named, findings: Sequence[Finding]) -> str:
    """The gravest finding, and how many more there are; or that all is well; or that nothing is known."""
    open_ones = [each for each in findings if each.severity >= Severity.WAITING]
    if open_ones:
        first, more = open_ones[0].sentence, len(open_ones) - 1
        others = ngettext("One more thing needs a look.", "%(count)d more things need a look.", more) % {"count": more}
        return f"{first.rstrip('.')}. {others}" if more else first
    if named.choices:
        return _("Several people match this name: choose one.")
    if named.is_nothing:
        return _("Nothing here is called “%s”.") % named.text
    notes = [each.sentence for each in findings if each.severity == Severity.NOTE]
    fine = [each.sentence for each in findings if each.severity == Severity.FINE]
    if notes:
        return _("Nothing is broken. %s") % notes[0]
    return _("Everything is as it should be. %s") % (fine[0] if fine else "")


def subjects_of(named: Named, records: Records) -> list[Model]:
    """What the answer is about, each once: what was named, and what that belongs to."""
    rows: Iterable[Model] = (
        *named.rows, *records.owners, *named.users, *named.customers,
        *([] if records.owners else [*named.events, *named.refusals]),
    )  # fmt: skip
    return list(dict.fromkeys(rows))


def _as_dict(row: Model) -> dict[str, Any]:
    return {"type": row._meta.label_lower, "id": row.pk, "name": name_of(row)}
