"""How many places may be held at once without being paid, and how many people may wait with one address: nobody empties
an activity, or fills somebody's mailbox, by filling in forms.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from payments.statuses import AWAITING_PAYMENT
from registrations.models import EmailState, Registration, WaitingEntry

AN_HOUR = timedelta(hours=1)


class TooManyHolds(Exception):
    """For this address, or from this client, too many unpaid places are held already."""


class TooManyEntries(Exception):
    """Within an hour too many people were put on waiting lists with this address, and nobody has confirmed it."""


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


def require_few_entries(*, email: str, at: datetime) -> None:
    """Raises TooManyEntries where one more would be too many: each sends a mail. The caller waits in line."""
    asked = WaitingEntry.objects.filter(email=email, email_state=EmailState.ASKED, created_at__gt=at - AN_HOUR)
    if asked.count() >= settings.HOLDS_PER_ADDRESS:
        raise TooManyEntries(email)
