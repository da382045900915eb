"""What each reconciliation compared, found and did: kept, so that completeness can be shown afterwards."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

# A run that finds more has one cause, which the first thousand tell.
MAX_KEPT_FINDINGS = 1000
FINDING_TEXT_MAX_LENGTH = 300


class ReconcileRun(models.Model):
    """One run over the window from `since` to `until`. `finished_at` None: it is under way, or it was cut short.

    `findings`: the first of them, each with `subject`, `what`, `here`, `at_stripe` and `done`.
    """

    started_at = models.DateTimeField(gettext_lazy("started"))
    finished_at = models.DateTimeField(gettext_lazy("finished"), null=True, blank=True)
    since = models.DateTimeField(gettext_lazy("from"))
    until = models.DateTimeField(gettext_lazy("up to"))
    # The window was not asked for but worked out: the next one begins where this one ended.
    is_continued = models.BooleanField(gettext_lazy("goes on from the one before"), default=False)
    is_dry_run = models.BooleanField(gettext_lazy("only looked"), default=False)
    by = models.CharField(gettext_lazy("by"), max_length=255, blank=True)
    counts = models.JSONField(gettext_lazy("counts"), default=dict, blank=True)
    findings = models.JSONField(gettext_lazy("findings"), default=list, blank=True)
    error = models.CharField(gettext_lazy("error"), max_length=500, blank=True)
    # Invoices that nobody has paid yet, with their subscriptions: the next run asks about those that are open no more.
    open_invoices = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), editable=False)

    class Meta:
        verbose_name = gettext_lazy("reconciliation")
        verbose_name_plural = gettext_lazy("reconciliations")
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def sentence(self) -> str:
        """The whole run in one sentence for people."""
        told = {name: self.counts.get(name, 0) for name in ("compared", "put_right", "for_a_person", "missing")}
        parts = [
            ngettext("%(n)d object compared", "%(n)d objects compared", told["compared"]) % {"n": told["compared"]},
            self._put_right(told["put_right"]),
            ngettext("%(n)d needs a person", "%(n)d need a person", told["for_a_person"]) % {"n": told["for_a_person"]},
            _("%(n)d missing") % {"n": told["missing"]},
        ]
        # In English a time may bring its own full stop ("9 a.m.").
        return f"{', '.join(parts)}; {self._end().removesuffix('.')}."

    def _put_right(self, count: int) -> str:
        said = _("%(n)d to be put right") if self.is_dry_run else _("%(n)d put right")
        return said % {"n": count}

    @property
    def not_checked(self) -> list[str]:
        """What the run could not check, or did not come to."""
        return [each["subject"] for each in self.findings if each["done"] == Done.NOT_CHECKED]

    def _end(self) -> str:
        if self.finished_at is None:
            names = ", ".join(label_of(name) for name in self.not_checked)
            return _("not finished; not checked: %(names)s") % {"names": names} if names else _("not finished")
        return _("complete up to %(moment)s") % {
            "moment": date_format(localtime(self.until), "SHORT_DATETIME_FORMAT"),
        }


class Done(StrEnum):
    """What was done about a finding. LEFT: no money is at stake, and the clean-up sees to it.

    NOT_CHECKED: what the subject names was not compared at all.
    """

    PUT_RIGHT = "put right"
    TO_BE_PUT_RIGHT = "to be put right"
    ASKED = "a person was asked"
    LEFT = "left to the clean-up"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


# What is walked through, and what is counted, in words for people.
HERE = "known here"
LABELS = {
    "subscriptions": gettext_lazy("subscriptions"),
    "invoices": gettext_lazy("invoices"),
    "checkout.sessions": gettext_lazy("Checkout sessions"),
    "payment_intents": gettext_lazy("payments"),
    "refunds": gettext_lazy("refunds"),
    "disputes": gettext_lazy("disputes"),
    "radar.early_fraud_warnings": gettext_lazy("fraud warnings"),
    HERE: gettext_lazy("what is known here"),
    "orders here": gettext_lazy("orders here"),
    "compared": gettext_lazy("compared in all"),
    "put_right": gettext_lazy("put right"),
    "for_a_person": gettext_lazy("for a person"),
    "missing": gettext_lazy("not known to Stripe"),
    "foreign": gettext_lazy("of other products"),
    "findings": gettext_lazy("findings"),
}


def label_of(name: str) -> str:
    """What people call a list at Stripe or a number of the report."""
    return str(LABELS.get(name, name))


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` differs in `what`: `here` and `at_stripe`."""

    subject: str
    what: str
    here: str
    at_stripe: str
    done: Done

    def as_kept(self) -> dict[str, str]:
        """As it is kept; one text is no longer than a line or two."""
        return {name: str(value)[:FINDING_TEXT_MAX_LENGTH] for name, value in asdict(self).items()}


@dataclass(slots=True)
class RunReport:
    """What a run has seen, found and done.

    `compared` by kind of object; `foreign`: those of other products in the account, which are left alone; `unchecked`:
    what is still to be walked through, with the reason ("": not come to) why it was not.
    """

    compared: Counter[str] = field(default_factory=Counter)
    foreign: int = 0
    put_right: set[str] = field(default_factory=set)
    for_a_person: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    unchecked: dict[str, str] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Take it into the list and into the numbers."""
        self.findings.append(finding)
        match finding.done:
            case Done.PUT_RIGHT | Done.TO_BE_PUT_RIGHT:
                self.put_right.add(finding.subject)
            case Done.ASKED | Done.FAILED:
                self.for_a_person.add(finding.subject)

    def add_changes(self, subject: str, changes: Iterable[tuple[str, str, str]], *, dry_run: bool) -> None:
        """A finding for each change (what, here, at Stripe) that was made, or would be."""
        done = Done.TO_BE_PUT_RIGHT if dry_run else Done.PUT_RIGHT
        for what, here, there in changes:
            self.add(Finding(subject, what, here, there, done))

    @property
    def counts(self) -> dict[str, int]:
        """`put_right` and `for_a_person` count orders and subscriptions, `missing` names that Stripe does not know."""
        return {
            "compared": self.compared.total(),
            "put_right": len(self.put_right),
            "for_a_person": len(self.for_a_person),
            "missing": len(self.missing),
            "foreign": self.foreign,
            "findings": len(self._all_findings),
            **{kind: count for kind, count in sorted(self.compared.items())},
        }

    @property
    def kept(self) -> list[dict[str, str]]:
        """The findings as the run keeps them; what was not checked comes first."""
        return [finding.as_kept() for finding in self._all_findings[:MAX_KEPT_FINDINGS]]

    @property
    def _all_findings(self) -> list[Finding]:
        unchecked = [Finding(what, "", "", why, Done.NOT_CHECKED) for what, why in self.unchecked.items()]
        return unchecked + self.findings
