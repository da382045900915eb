"""What is watched about places."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.alerts import AlertSeverity, Look, Trouble, alert_rule
from registrations.services.check_places import ViolationKind, find_violations

TEXTS = {
    ViolationKind.COUNTER: gettext_noop("%(activity)s: the counter says %(taken)s places taken, %(held)s are held."),
    ViolationKind.OVERSOLD: gettext_noop(
        "%(activity)s: %(held)s people hold a place, and there are only %(capacity)s."
    ),
    ViolationKind.WAITING: gettext_noop("%(activity)s: who paid waits although a place is free (%(waiting)s)."),
}


@alert_rule(
    "places.wrong", title=_("Places do not add up"), severity=AlertSeverity.HIGH, every=timedelta(minutes=10),
    remedy=_("The command check_places says what is wrong; with --repair it puts a wrong counter right."),
    has_mail=False,
)  # fmt: skip
def places_do_not_add_up(_look: Look) -> Iterator[Trouble]:
    for found in find_violations():
        values = {
            "activity": found.activity, "taken": str(found.taken), "held": str(found.held),
            "capacity": str(found.capacity), "waiting": str(found.waiting),
        }  # fmt: skip
        page = reverse("admin:registrations_activity_change", args=[found.activity_id])
        yield Trouble(TEXTS[found.kind], page, values, subject=f"{found.activity_id}:{found.kind}")
