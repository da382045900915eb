"""Alerts for staff about places that do not add up: one mail for each difference and day, and one for each repair."""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_noop

from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest
from payments.effects.mail import Mail, mails
from payments.effects.models import Effect
from registrations.breaches import Breach, find_breaches

KIND = "alert.places"
# What the next tick of the timetable puts right by itself is no news: the mail looks again before it goes.
PATIENCE = timedelta(minutes=3)
PUT_RIGHT = Skip(gettext_noop("The places add up again."))


def alert_about(breach: Breach, *, reason: str = "", at: datetime) -> EffectRequest:
    """The alert of a breach, with all the evidence in it. `because`: why somebody had it repaired."""
    data = {**asdict(breach), "difference": breach.difference, "reason": reason}
    name = f"{KIND}:{breach.activity_id}:{breach.difference}"
    if breach.is_repaired:
        return EffectRequest(key=f"{name}:repaired:{at:%Y%m%dT%H%M%S.%f}", kind=KIND, order_id=None, data=data)
    return EffectRequest(key=f"{name}:{at:%Y%m%d}", kind=KIND, order_id=None, data=data, not_before=at + PATIENCE)


@mails(KIND)
def places_do_not_add_up(effect: Effect) -> Mail | Skip:
    """A repair is always told; a breach only if it is still there as it was found."""
    found = {breach.difference for breach in find_breaches(activity_ids=[effect.data["activity_id"]])}
    if not effect.data["is_repaired"] and effect.data["difference"] not in found:
        return PUT_RIGHT
    context = {**effect.data, "checked_at": effect.created_at}
    return Mail(to=tuple(settings.STRIPE_ALERT_EMAIL), language=settings.LANGUAGE_CODE, context=context)
