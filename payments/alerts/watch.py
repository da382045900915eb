"""Looks with every rule, opens and closes alerts, and has each told once: by mail, by a line of the log, and to the
address of ALERT_WEBHOOK_URL.

The delivery process of each worker watches every few seconds, the timetable every minute; where no worker does, a web
process stands in (payments/alerts/stand_in.py). One at a time, everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from payments.alerts.models import Alert
from payments.alerts.rules import AlertSeverity, Rule, Trouble, all_rules
from payments.effects.enqueue import EffectRequest, enqueue
from payments.heartbeats import WATCH, note_heartbeat
from payments.locks import take_advisory_lock

log = structlog.get_logger(__name__)
LOCK = "alerts"
MAIL, HOOK = "alert.opened", "alert.hook"


@dataclass(slots=True)
class Watched:
    """What one look has brought about; `reopened`: incidents that came back."""

    opened: list[Alert] = field(default_factory=list)
    reopened: list[Alert] = field(default_factory=list)
    closed: list[Alert] = field(default_factory=list)

    @property
    def has_news(self) -> bool:
        """Whether there is something to be told."""
        return bool(self.opened or self.closed)


# When this process has last looked with which rule.
_looked_at: dict[str, datetime] = {}


def watch(*, at: datetime) -> Watched | None:
    """Look with every rule that is due. None: somebody else is at it."""
    with transaction.atomic():
        if not take_advisory_lock(LOCK):
            return None
        note_heartbeat(WATCH, at=at)
        watched = Watched()
        known = {(row.rule, row.subject): row for row in Alert.objects.filter(closed_at=None)}
        for rule in all_rules():
            if at - _looked_at.get(rule.name, at - rule.every) < rule.every:
                continue
            troubles = _look(rule, at=at)
            if troubles is not None:
                _looked_at[rule.name] = at
                _follow(rule, troubles, known, watched, at=at)
    return watched


def _look(rule: Rule, *, at: datetime) -> dict[str, Trouble] | None:
    """None: it could not look, so nothing is known; the other rules go on."""
    try:
        with transaction.atomic():
            return rule.look(at=at)
    except Exception:
        log.exception("alert.rule_failed", alert=rule.name)
        return None


def _follow(
    rule: Rule, troubles: Mapping[str, Trouble], known: Mapping[tuple[str, str], Alert], watched: Watched,
    *, at: datetime,
) -> None:  # fmt: skip
    """Bring the alerts of the rule in line with what it has found."""
    for subject, trouble in troubles.items():
        if row := known.get((rule.name, subject)):
            _update(row, trouble, at=at)
        else:
            _open(rule, trouble, watched, at=at)
    for (name, subject), row in known.items():
        if name == rule.name and subject not in troubles:
            _close(row, watched, at=at)


def _update(row: Alert, trouble: Trouble, *, at: datetime) -> None:
    row.text, row.values, row.page, row.seen_at = trouble.text, dict(trouble.values), trouble.page, at
    row.save(update_fields=["text", "values", "page", "seen_at"])


def _open(rule: Rule, trouble: Trouble, watched: Watched, *, at: datetime) -> None:
    recent = Alert.objects.filter(rule=rule.name, subject=trouble.subject, closed_at__gte=at - rule.cool_down)
    if row := recent.order_by("-closed_at").first():
        row.closed_at, row.times = None, row.times + 1
        row.save(update_fields=["closed_at", "times"])
        _update(row, trouble, at=at)
        watched.reopened.append(row)
        log.warning("alert.reopened", **_named(row))
        return
    row = Alert.objects.create(
        rule=rule.name, subject=trouble.subject, severity=rule.severity, text=trouble.text, values=dict(trouble.values),
        page=trouble.page, opened_at=at, seen_at=at,
    )  # fmt: skip
    watched.opened.append(row)
    say = log.error if rule.severity == AlertSeverity.HIGH else log.warning
    say("alert.opened", says=row.sentence, **_named(row))
    _tell(row, MAIL if rule.has_mail else "", "opened", at=at)


def _close(row: Alert, watched: Watched, *, at: datetime) -> None:
    row.closed_at = at
    row.save(update_fields=["closed_at"])
    watched.closed.append(row)
    log.info("alert.closed", **_named(row), lasted_s=round((at - row.opened_at).total_seconds()))
    _tell(row, "", "closed", at=at)


def _tell(row: Alert, mail: str, what: str, *, at: datetime) -> None:
    """What each channel is told, once."""
    wanted = []
    if mail:
        wanted.append(EffectRequest(mail_key(row), mail, None, {"alert": row.pk}))
    if settings.ALERT_WEBHOOK_URL:
        data = {"alert": row.pk, "what": what}
        wanted.append(EffectRequest(f"{HOOK}:{row.pk}:{what}:{row.times}", HOOK, None, data))
    enqueue(wanted, at=at)


def mail_key(row: Alert) -> str:
    """One mail for each incident."""
    return f"{MAIL}:{row.pk}"


def _named(row: Alert) -> dict[str, Any]:
    told = {"alert": row.rule, "alert_id": row.pk, "severity": row.severity, "environment": settings.ENVIRONMENT}
    return {**told, **({"subject": row.subject} if row.subject else {})}


def forget_looks() -> None:
    """As in a new process; for tests."""
    _looked_at.clear()
