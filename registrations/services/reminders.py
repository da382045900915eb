"""Reminds who has opened the payment page and gone away, shortly before their place is released."""

from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from payments.checkout.session_facts import find_session
from payments.effects.enqueue import enqueue
from payments.effects.models import Effect
from payments.orders.models import CheckoutAttempt
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import ThrottledStripe
from registrations.invitations import UNPAID, unpaid_message
from registrations.models import Registration

log = structlog.get_logger(__name__)
# So long before the place is released: time enough to read a mail and to pay.
TIME_LEFT = timedelta(minutes=10)
# Whoever is left out is asked about a minute later.
MAX_ASKED_AT_ONCE = 100


def remind_unpaid(*, at: datetime) -> int:
    """Note one mail for each whose time is nearly over and whose payment page is still open. Returns how many.

    Stripe is asked whether it is: who has just paid, and whose payment is still to be told of, hears nothing. Safe to
    be called again, and by many at once. Not to be called inside a transaction.
    """
    stripe, count = ThrottledStripe(), 0
    for row in _nearly_over(at=at)[:MAX_ASKED_AT_ONCE]:
        try:
            session = stripe.call(find_session, cast(Any, row).newest_session)
        except GatewayUnavailable:
            # The next one would hardly fare better; what is still held in a minute is asked about then.
            log.warning("reminder.unavailable", registration=str(row.public_id))
            break
        except GatewayRefused as refusal:
            log.warning("reminder.refused", registration=str(row.public_id), code=refusal.code)
            continue
        if session and session.status == "open":
            count += _remind(row, at=at)
    return count


@transaction.atomic
def _remind(row: Registration, *, at: datetime) -> int:
    """What has changed meanwhile is seen when the mail is written."""
    noted = len(enqueue([unpaid_message(row)], at=at))
    if noted:
        log.info("registration.reminded", registration=str(row.public_id), order=row.order_id)
    return noted


def _nearly_over(*, at: datetime) -> QuerySet[Registration]:
    """Who has not tried to pay yet in the page that is open, and was not reminded; the end that comes first first."""
    newest = CheckoutAttempt.objects.filter(order=OuterRef("order")).order_by("-number")
    key = Concat(Value(f"{UNPAID}:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    rows = Registration.objects.filter(
        holds_place=True, held_until__gt=at, held_until__lte=at + TIME_LEFT, order__status=OrderStatus.PENDING,
        order__amount__gt=0, order__amount_received=0,
        activity__called_off_at=None, activity__starts_at__gt=at,
    )  # fmt: skip
    rows = rows.annotate(newest_session=Subquery(newest.values("session")[:1])).filter(newest_session__gt="")
    rows = rows.exclude(Exists(Effect.objects.filter(key=key)))
    return rows.select_related("order").order_by("held_until", "pk")
