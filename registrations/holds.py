"""How many places may be held at once without being paid: nobody empties an activity by filling in forms."""

from datetime import datetime

from django.conf import settings
from django.db import connection

from payments.statuses import AWAITING_PAYMENT
from registrations.models import Registration


class TooManyHolds(Exception):
    """For this address, or from this client, too many unpaid places are held already."""


def wait_in_line(*, email: str, client: str) -> None:
    """Whoever registers under the same address or from the same client waits for the end of this transaction."""
    with connection.cursor() as cursor:
        for name in sorted(f"holds:{who}" for who in (email.lower(), client) if who):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def require_few_holds(*, email: str, client: str, at: datetime) -> None:
    """Raises TooManyHolds where one more would be too many. The caller waits in line.

    Offers of the waiting list are not counted: nobody has asked for them at this moment.
    """
    held = Registration.objects.filter(holds_place=True, held_until__gt=at, waited__isnull=True)
    held = held.filter(order__status__in=AWAITING_PAYMENT)
    is_too_much = held.filter(email=email).count() >= settings.HOLDS_PER_ADDRESS
    if is_too_much or (client and held.filter(client=client).count() >= settings.HOLDS_PER_CLIENT):
        raise TooManyHolds(email)
