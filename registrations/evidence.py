"""What registrations know of the use of what was paid for: the place, and the day on which it was to be used."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from payments.evidence import Case, Entry, evidence_source
from registrations.models import Registration


@evidence_source
def registration(case: Case, at: datetime) -> Iterator[Entry]:
    """Who registered for what, whether a place was held, and whether the day has come."""
    row = Registration.objects.select_related("activity").filter(order=case.order).first() if case.order else None
    if row is None:
        return
    activity = row.activity
    yield Entry(row.created_at, _("Registered"), f"{row.name}, {row.email}: {activity.title}")
    if row.given_up_at:
        yield Entry(row.given_up_at, _("Place given up"))
    if activity.called_off_at:
        yield Entry(activity.called_off_at, _("Activity called off"), activity.called_off_reason)
        return
    held = _("a place was held for this person") if row.holds_place else _("no place was held for this person")
    name = _("Activity took place") if activity.starts_at <= at else _("Activity is going to take place")
    where = f", {activity.place}" if activity.place else ""
    yield Entry(activity.starts_at, name, f"{activity.title}{where}; {held}")
