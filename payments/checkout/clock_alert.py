"""Tells staff that this machine's clock is wrong: deadlines are then missed, signatures refused, dates not true."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.stripe_api import clock

log = structlog.get_logger(__name__)
KIND = "alert.clock"
FAR_OFF = timedelta(seconds=60)


@transaction.atomic
def warn_of_clock(*, at: datetime) -> bool:
    """Note the alert where our clock is more than a minute from Stripe's: one a day. Returns whether it is."""
    offset = clock.offset(at=at)
    if abs(offset) <= FAR_OFF:
        return False
    log.error("clock.far_off", seconds=int(offset.total_seconds()))
    data = {"seconds": int(offset.total_seconds()), "seen_at": at.isoformat()}
    enqueue([EffectRequest(key=f"{KIND}:{at:%Y-%m-%d}", kind=KIND, order_id=None, data=data)], at=at)
    return True


@mails(KIND)
def clock_far_off(effect: Effect) -> Mail | Skip:
    seconds = effect.data["seconds"]
    context = {"seconds": abs(seconds), "is_behind": seconds > 0, "seen_at": parse_datetime(effect.data["seen_at"])}
    return to_staff(context, page=reverse("admin:index"))
