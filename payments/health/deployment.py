"""Document 03's checklist of a deployment: what a command can tick is looked at, the rest is put to a person.

Changes and sends nothing. The sentences are English, as everything that commands say of themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import WARNING, CheckMessage, run_checks

from config.startup import sentence_of
from payments.alerts.models import Alert
from payments.billing.models import Payment
from payments.diagnosis.findings import Finding, Severity, moment
from payments.diagnosis.setup import SetUpReport, validate_set_up
from payments.health.readiness import Check, check_all
from payments.incidents.switches import current_incident

UNNAMED_VERSION = "development"


class BoxState(StrEnum):
    """What a person must look at does not fail the check: no command can know it."""

    OK = "ok"
    WRONG = "wrong"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Box:
    """One line of the checklist. `says`: sentences; `remedy`, `command`: what to do, "" where nothing."""

    phase: str
    title: str
    state: BoxState
    says: str
    remedy: str = ""
    command: str = ""

    def as_dict(self) -> dict[str, str]:
        """For programs."""
        return {
            "phase": self.phase, "title": self.title, "state": self.state, "says": self.says, "remedy": self.remedy,
            "command": self.command,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was found out. `checks`: readiness; `faults`: what `manage.py check --deploy` says."""

    at: datetime
    report: SetUpReport
    checks: Sequence[Check]
    faults: Sequence[CheckMessage]

    def findings(self, *codes: str) -> list[Finding]:
        return [each for each in self.report.findings if each.code in codes]


# What a rule says: a box without phase and title, which stand in BOXES.
Rule = Callable[[Deployment], Box]


def check_deployment(*, at: datetime, seconds: float) -> list[Box]:
    """Every box. While the database is missing or older than the code, that alone is told."""
    checks = check_all(at=at)
    if missing := [each for each in checks if each.name in ("database", "migrations") and not each.is_well]:
        return [replace(_of_checks(missing), phase="deployment", title="Database and migrations")]
    report = validate_set_up(at=at, seconds=seconds)
    faults = [each for each in run_checks(include_deployment_checks=True) if each.level >= WARNING]
    found = Deployment(at, report, checks, faults)
    return [replace(rule(found), phase=phase, title=title) for phase, title, rule in BOXES]


def _box(state: BoxState, says: str, remedy: str = "", command: str = "") -> Box:
    return Box("", "", state, says, remedy, command)


def _of_findings(findings: Sequence[Finding]) -> Box:
    """Wrong where something is, or could not be looked at: then only that is told."""
    wrong = [each for each in findings if each.severity in (Severity.PROBLEM, Severity.UNCHECKED)]
    if not wrong:
        return _box(BoxState.OK, " ".join(each.sentence for each in findings if each.severity == Severity.FINE))
    remedies = [each.remedy for each in wrong if each.remedy]
    to_do = dict.fromkeys(each.sentence for each in remedies)
    return _box(
        BoxState.WRONG, " ".join(each.sentence for each in wrong), " ".join(to_do),
        next((each.command for each in remedies if each.command), ""),
    )  # fmt: skip


def _of_checks(checks: Sequence[Check]) -> Box:
    wrong = [each for each in checks if not each.is_well]
    if not wrong:
        return _box(BoxState.OK, f"{', '.join(each.name for each in checks)}: all is well.")
    told = " ".join(f"{each.name}: {each.says}" for each in wrong)
    return _box(BoxState.WRONG, told, " ".join(str(each.remedy) for each in wrong))


def _ask(question: str, command: str = "") -> Rule:
    return lambda _found: _box(BoxState.PERSON, question, command=command)


def _stripe_keys(found: Deployment) -> Box:
    told = ("key", "account", "version", "clock", "prices", "portal")
    return _of_findings(found.findings(*(f"stripe.{name}" for name in told)))


def _endpoint(found: Deployment) -> Box:
    told = ("endpoint", "enabled", "events", "version", "secret")
    return _of_findings(found.findings(*(f"webhooks.{name}" for name in told)))


def _settings(found: Deployment) -> Box:
    if found.faults:
        return _box(
            BoxState.WRONG,
            " ".join(map(sentence_of, found.faults)),
            "See docs/settings.md.",
            "manage.py check --deploy",
        )
    return _of_findings(found.findings("site.settings", "alerts.address", "mail.server"))


def _validation(found: Deployment) -> Box:
    state = BoxState.OK if found.report.is_valid else BoxState.WRONG
    return _box(state, found.report.verdict, command="" if found.report.is_valid else "manage.py stripe_validate")


def _version(found: Deployment) -> Box:
    if settings.VERSION == UNNAMED_VERSION:
        return _box(BoxState.WRONG, "Nobody can tell which version runs.", "Set VERSION to the tag of the image.")
    return _box(BoxState.OK, f"Version {settings.VERSION} runs here, and all its migrations are through.")


def _reachable(found: Deployment) -> Box:
    return _of_checks([each for each in found.checks if each.name in ("database", "migrations", "counters", "broker")])


def _webhook(found: Deployment) -> Box:
    return _of_findings(found.findings("webhooks.url"))


def _admin(found: Deployment) -> Box:
    staff = [
        each for each in get_user_model().objects.filter(is_staff=True, is_active=True) if each.has_usable_password()
    ]
    if not staff:
        return _box(BoxState.WRONG, "Nobody can enter the admin.", "Make the first account.", "manage.py ensure_staff")
    return _box(BoxState.OK, f"{len(staff)} can enter {settings.SITE_URL}/admin/.")


def _monitoring(found: Deployment) -> Box:
    lives = _of_checks([each for each in found.checks if each.name in ("worker", "beat", "backlog")])
    if lives.state != BoxState.OK:
        return lives
    if not settings.METRICS_TOKEN:
        return _box(BoxState.WRONG, "Nobody can read /metrics.", "Set METRICS_TOKEN, and tell Prometheus.")
    if count := Alert.objects.filter(closed_at=None).count():
        return _box(BoxState.WRONG, f"Alerts that are open: {count}.", f"See {settings.SITE_URL}/admin/health/.")
    return _box(BoxState.OK, f"{lives.says} No alert is open.")


def _transaction(found: Deployment) -> Box:
    last = Payment.objects.order_by("-pk").first()
    if last is None:
        return _box(BoxState.PERSON, "Nobody has paid yet: buy something for a small amount, and refund it.")
    return _box(
        BoxState.OK, f"The newest payment is {last.key}; buy something yourself if it is from before the update."
    )


def _switches(command: str) -> Rule:
    def rule(found: Deployment) -> Box:
        if incident := current_incident():
            return _box(
                BoxState.PERSON,
                f"An incident is open since {moment(incident.opened_at)}.",
                command="manage.py incident status",
            )
        return _box(
            BoxState.OK, "No incident is open; this opens one.", command=f"manage.py incident open --reason … {command}"
        )

    return rule


BOXES: tuple[tuple[str, str, Rule], ...] = (
    ("before", "All tests pass", _ask("Is continuous integration green for this version?")),
    ("before", "Live keys of Stripe", _stripe_keys),
    ("before", "Webhook endpoint at Stripe", _endpoint),
    ("before", "Settings", _settings),
    ("before", "Validation", _validation),
    (
        "deployment",
        "Back-up",
        _ask(
            "Is there a back-up of today, and has one of them been restored for a try?",
            "manage.py backup_state … --verify",
        ),
    ),
    ("deployment", "Version and migrations", _version),
    ("deployment", "Everything reachable", _reachable),
    ("deployment", "Webhook answers", _webhook),
    ("deployment", "Admin", _admin),
    ("after", "Monitoring and alerts", _monitoring),
    ("after", "A payment in production", _transaction),
    (
        "after",
        "The whole way of a buyer",
        _ask("Did you buy, read the mail, find it under To do or Orders, and refund it?"),
    ),
    ("after", "Documents", _ask("Do your own notes name this version, and who is called at night?")),
    (
        "after",
        "Team",
        _ask(
            "Has each of the staff a group of their own, and tried what it is for?",
            "manage.py ensure_staff --email … --group …",
        ),
    ),
    ("rollback", "Webhooks can be switched off", _switches("--disable-endpoints")),
    ("rollback", "Sales can be paused", _switches("--pause-sales")),
    ("rollback", "Buyers can be told", _switches("--notify-users")),
    ("rollback", "Version of before", _ask("Is the image of the version of before still there?")),
    (
        "rollback",
        "All is normal again",
        _ask("After a rollback: run this once more, then close the incident.", "manage.py incident close --reason …"),
    ),
)
