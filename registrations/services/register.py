"""Registers one person for an activity: a place, held for a while, and the order to pay for it."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from payments.checkout.attempts import SESSION_LIFE
from payments.orders.models import Order
from payments.orders.opening import open_order
from registrations.models import Activity, Registration
from registrations.places import take_place
from registrations.purchasable import KIND

log = structlog.get_logger(__name__)
# As long as one can pay for it.
HOLD = SESSION_LIFE


class ActivityFull(Exception):
    """No place is left."""


class SalesClosed(Exception):
    """The activity is not on sale."""


class AlreadyRegistered(Exception):
    """This person holds a place there already."""


@transaction.atomic
def register(
    *, activity: Activity, name: str, email: str, language: str, at: datetime, external_id: str | None = None
) -> Registration:
    """One place for one person, held for 31 minutes, and the order to pay for it.

    Raises SalesClosed, AlreadyRegistered or ActivityFull; then nothing has happened.
    """
    if not activity.is_on_sale:
        raise SalesClosed(activity.title)
    order = Order(
        kind=KIND, email=email.lower(), label=activity.title, amount=activity.price, currency=activity.currency,
        livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    row = Registration(
        activity=activity, name=name, email=email, language=language, external_id=external_id, holds_place=True,
        held_until=at + HOLD, created_at=at, user=User.objects.find_confirmed(email),
    )  # fmt: skip
    names = [f"registration:{name}" for name in (row.public_id, external_id) if name]
    row.order = open_order(order, names=names, expires_at=row.held_until, at=at)
    _save(row)
    # Last, because it locks the activity that everybody wants.
    if not take_place(activity_id=activity.pk):
        raise ActivityFull(activity.title)
    log.info("registration.created", registration=str(row.public_id), order=order.pk, activity=activity.slug)
    return row


def _save(row: Registration) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "one_place_a_person" not in str(error):
            raise
        raise AlreadyRegistered(row.email) from error
