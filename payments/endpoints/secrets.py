"""Which of our webhook secrets Stripe signs with: the counts of what came tell (payments/tallies.py), by the hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_noop

from config.seen import Seen
from payments.stripe_api.signature import ending
from payments.tallies import Tally, hour_of

UNUSED_FOR = timedelta(days=1)
# What a process has begun with is known for so long before anything is concluded from silence.
KNOWN_FOR = timedelta(hours=2)
UNUSED_REMEDY = gettext_noop(
    "If its endpoint is gone, take it out of STRIPE_WEBHOOK_SECRET and restart. If its endpoint is to be used, look in "
    "the Stripe Dashboard whether it is enabled and leads here."
)


@dataclass(frozen=True, slots=True)
class SecretUse:
    """One of our secrets. `last_hour`: the beginning of the last hour in which it had signed; None: never yet."""

    ending: str
    last_hour: datetime | None


def secret_uses() -> list[SecretUse]:
    """Each of those that are set, in their order; one statement."""
    last = _last_hours(Seen.SECRET)
    return [SecretUse(name, last.get(name)) for name in map(ending, settings.STRIPE_WEBHOOK_SECRETS)]


def unused_secrets(*, at: datetime) -> Iterator[SecretUse]:
    """Those that have signed nothing for a day while another one has, although all have been set for hours.

    Two endpoints that lead here are both sent each event: also a secret that was set in addition signs at once.
    """
    if len(settings.STRIPE_WEBHOOK_SECRETS) < 2:  # one cannot be the other
        return
    uses, set_at = secret_uses(), _last_hours(Seen.SECRET_SET)
    for use in uses:
        known_since = set_at.get(use.ending)
        if known_since is None or hour_of(at) - known_since < KNOWN_FOR:
            continue
        others = [other.last_hour for other in uses if other is not use and other.last_hour]
        is_unused = use.last_hour is None or hour_of(at) - use.last_hour > UNUSED_FOR
        if is_unused and others and max(others) > max(known_since, hour_of(at) - UNUSED_FOR):
            yield use


def _last_hours(what: Seen) -> dict[str, datetime]:
    return dict(Tally.objects.filter(what=what).values_list("label", "hour"))
