"""What is watched about incidents and holds: that one is open, that its end comes near, and what was held by itself.

A switch never lapses by itself: whoever has thrown it is warned, and decides.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.alerts.rules import AlertSeverity, Look, Trouble, alert_rule, moment_words
from payments.incidents.models import Incident, IncidentState
from payments.ledger.models import HeldType

ENDS_SOON = timedelta(minutes=30)
REASON_SHOWN = 200


@alert_rule(
    "incident.open", title=_("An incident is open"), severity=AlertSeverity.MEDIUM, has_mail=False,
    remedy=_("Once its cause is gone, close it on its page or with `manage.py incident close`."),
)  # fmt: skip
def incident_is_open(_look: Look) -> Iterator[Trouble]:
    """Its opening has had a mail of its own."""
    if incident := _open_incident():
        text = gettext_noop("Incident since %(day)s %(clock)s, by %(by)s: %(reason)s")
        values = {"by": incident.opened_by, "reason": incident.reason[:REASON_SHOWN]}
        yield Trouble(text, _page_of(incident), {**moment_words(incident.opened_at), **values})


@alert_rule(
    "incident.ending", title=_("The expected end of an incident comes near"), severity=AlertSeverity.HIGH,
    remedy=_("It does not end by itself: close it, or tell people that it takes longer."),
)  # fmt: skip
def incident_is_ending(look: Look) -> Iterator[Trouble]:
    incident = _open_incident()
    if incident and incident.ends_at and incident.ends_at <= look.at + ENDS_SOON:
        text = gettext_noop("It is expected to end at %(day)s %(clock)s: %(reason)s")
        values = {**moment_words(incident.ends_at), "reason": incident.reason[:REASON_SHOWN]}
        yield Trouble(text, _page_of(incident), values)


@alert_rule(
    "incident.closing", title=_("An incident cannot be closed"), severity=AlertSeverity.HIGH,
    remedy=_("The workers try again every minute; `manage.py incident close` tries at once and says more."),
)  # fmt: skip
def closing_is_cut_short(_look: Look) -> Iterator[Trouble]:
    incident = Incident.objects.filter(closed_at__isnull=True, state=IncidentState.CLOSING).exclude(trouble="").first()
    if incident:
        yield Trouble(gettext_noop("Cut short: %(reason)s"), _page_of(incident), {"reason": incident.trouble[:300]})


@alert_rule(
    "hold.ending", title=_("The expected end of a hold comes near"), severity=AlertSeverity.MEDIUM,
    remedy=_("It does not end by itself: release the event type on its page."),
)  # fmt: skip
def hold_is_ending(look: Look) -> Iterator[Trouble]:
    """Those of an incident end with it."""
    for row in HeldType.objects.filter(ends_at__lte=look.at + ENDS_SOON, incident=None).order_by("pk"):
        if row.ends_at:
            text = gettext_noop("%(type)s was to be held back until %(day)s %(clock)s: %(reason)s")
            values = {"type": row.type, **moment_words(row.ends_at), "reason": row.reason[:REASON_SHOWN]}
            yield Trouble(text, _page_of_hold(row), values, subject=row.type)


@alert_rule(
    "hold.automatic", title=_("An event type is held back by itself"), severity=AlertSeverity.HIGH,
    remedy=_(
        "Many of its events have failed in the same way: find out why on the page of the failures, remove the cause, "
        "then release the type there. What comes meanwhile is kept."
    ),
)  # fmt: skip
def type_is_held_by_itself(_look: Look) -> Iterator[Trouble]:
    for row in HeldType.objects.filter(~Q(failure_group="")).order_by("pk"):
        text = gettext_noop("%(type)s: %(reason)s")
        yield Trouble(text, _page_of_hold(row), {"type": row.type, "reason": row.reason[:300]}, subject=row.type)


def _open_incident() -> Incident | None:
    return Incident.objects.filter(closed_at__isnull=True).defer("before", "report").first()


def _page_of(incident: Incident) -> str:
    return reverse("admin:payments_incident_change", args=[incident.pk])


def _page_of_hold(row: HeldType) -> str:
    return reverse("admin:payments_heldtype_change", args=[row.pk])
