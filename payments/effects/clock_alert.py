"""Tells staff that this machine's clock is wrong: deadlines are then missed, signatures refused, dates not true."""

from datetime import datetime, timedelta

import structlog
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.stripe_api.clock import watches_clock

log = structlog.get_logger(__name__)
KIND = "alert.clock"


@watches_clock
def warn_of_clock(offset: timedelta, at: datetime) -> None:
    """Note the alert, one a day. Whatever Stripe has told meanwhile is worth more than it: it fails in silence."""
    seconds = round(offset.total_seconds())
    log.error("clock.far_off", seconds=seconds)
    data = {"seconds": seconds, "seen_at": at.isoformat()}
    try:
        with transaction.atomic():
            enqueue([EffectRequest(key=f"{KIND}:{at:%Y-%m-%d}", kind=KIND, order_id=None, data=data)], at=at)
    except DatabaseFailure as error:
        log.warning("clock.not_told", error=type(error).__name__)


@mails(KIND)
def clock_far_off(effect: Effect) -> Mail | Skip:
    seconds = effect.data["seconds"]
    context = {"seconds": abs(seconds), "is_behind": seconds > 0, "seen_at": parse_datetime(effect.data["seen_at"])}
    return to_staff(context, page=reverse("admin:index"))
