"""Registers one person for an activity: a place, held for a while, and the way to pay for it."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from accounts.models import User
from payments.checkout.attempts import SESSION_LIFE
from payments.checkout.open_checkout import confirm_free as confirm_free_order
from payments.checkout.open_checkout import open_checkout
from payments.cleanup.closing import close_order
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.statuses import OPEN_STATUSES, OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.models import ORDER_KIND, Activity, Registration, WaitingEntry
from registrations.places import take_place

log = structlog.get_logger(__name__)
CHECKOUT_SOURCE = "checkout"


class ActivityFull(Exception):
    """No place is left."""


class SalesClosed(Exception):
    """The activity is not on sale."""


class AlreadyRegistered(Exception):
    """This person holds a place there already."""


class CheckoutUnavailable(Exception):
    """Nobody can pay at the moment, and nothing was charged.

    `is_place_free`: the registration has ended and its place is free again; else it is held on, because a session may
    have been opened although Stripe's answer was lost, or because the place was offered from the waiting list.
    """

    def __init__(self, *, is_place_free: bool) -> None:
        super().__init__("Stripe refuses, or cannot be reached.")
        self.is_place_free = is_place_free


@dataclass(frozen=True, slots=True)
class RegisterResult:
    """`is_resumed`: this person held the place already, with an order that still waits."""

    registration: Registration
    is_resumed: bool = False


@transaction.atomic
def register_or_resume(*, activity: Activity, name: str, email: str, language: str, at: datetime) -> RegisterResult:
    """A place for this person, held while they pay; what costs nothing is theirs at once.

    Clicked twice, or in two windows, it is one registration. Raises SalesClosed, AlreadyRegistered (paid, or free and
    confirmed) or ActivityFull; then nothing has happened.
    """
    if activity.sale_at(at).is_closed:
        raise SalesClosed(activity.title)
    if held := _find_held(activity, name=name, email=email):
        return _resume(held)
    if activity.has_waiting_people():
        raise ActivityFull(activity.title)
    try:
        row = register(activity=activity, name=name, email=email, language=language, at=at)
    except AlreadyRegistered:
        # A click a moment earlier, in another process: it is committed by now.
        if held := _find_held(activity, name=name, email=email):
            return _resume(held)
        raise
    confirm_free(registration=row, at=at)
    return RegisterResult(row)


@transaction.atomic
def register(
    *, activity: Activity, name: str, email: str, language: str, at: datetime, external_id: str | None = None
) -> Registration:
    """One place for one person, held for as long as one can pay for it, and the order to pay.

    Raises SalesClosed, AlreadyRegistered or ActivityFull; then nothing has happened.
    """
    if not activity.is_on_sale:
        raise SalesClosed(activity.title)
    order = Order(
        kind=ORDER_KIND, email=email, label=activity.title, amount=activity.price, currency=activity.currency,
        livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    row = Registration(
        activity=activity, name=name, email=email, language=language, external_id=external_id, holds_place=True,
        held_until=at + SESSION_LIFE, created_at=at, user=User.objects.find_confirmed(email),
    )  # fmt: skip
    names = [f"registration:{name}" for name in (row.public_id, external_id) if name]
    row.order = open_order(order, names=names, expires_at=row.held_until, at=at)
    _save(row)
    # Last, because it locks the activity that everybody wants.
    if not take_place(activity_id=activity.pk):
        raise ActivityFull(activity.title)
    log.info("registration.created", registration=str(row.public_id), order=order.pk, activity=activity.slug)
    return row


@transaction.atomic
def confirm_free(*, registration: Registration, at: datetime) -> bool:
    """Confirm a registration that costs nothing. True if it was one that waits."""
    is_confirmed = confirm_free_order(order=registration.order, at=at)
    if is_confirmed:
        registration.refresh_from_db()
    return is_confirmed


def start_checkout(*, registration: Registration, at: datetime) -> str:
    """The address at which the registration can be paid: one and the same while its session is open.

    Where Stripe does not open a session, the place is given back. Not to be called inside a transaction. Raises
    CheckoutUnavailable, or OrderNotPayable where there is nothing to pay.
    """
    try:
        return open_checkout(order_id=registration.order_id, at=at).url
    except (GatewayRefused, GatewayUnavailable) as error:
        is_place_free = _give_back(registration, at=at)
        log.warning(
            "checkout.unavailable", registration=str(registration.public_id), order=registration.order_id,
            is_place_free=is_place_free, error=str(error),
        )  # fmt: skip
        raise CheckoutUnavailable(is_place_free=is_place_free) from error


def still_waits(order: Order) -> bool:
    """Whether the buyer may still pay, or has a payment under way."""
    return order.status in OPEN_STATUSES


def _find_held(activity: Activity, *, name: str, email: str) -> Registration | None:
    """What this person holds there, or has paid for; compared as the database's own constraint does."""
    rows = Registration.objects.select_related("order").filter(activity=activity, email=email)
    mine = rows.filter(Exact(Lower("name"), Lower(Value(name))))
    return mine.filter(Q(holds_place=True) | Q(waits_since__isnull=False)).order_by("pk").last()


def _resume(row: Registration) -> RegisterResult:
    if not still_waits(row.order):
        raise AlreadyRegistered(row.email)
    return RegisterResult(row, is_resumed=True)


def _save(row: Registration) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "one_place_a_person" not in str(error):
            raise
        raise AlreadyRegistered(row.email) from error


def _give_back(registration: Registration, *, at: datetime) -> bool:
    """Close the order if nobody can pay it; whoever was offered a place does not lose it by our trouble."""
    if WaitingEntry.objects.filter(offered=registration).exists():
        return False
    try:
        return close_order(
            order_id=registration.order_id, at=at, source=CHECKOUT_SOURCE, status=OrderStatus.CANCELED
        )  # fmt: skip
    except (GatewayRefused, GatewayUnavailable):
        # There is a session, and only Stripe knows whether it is open.
        return False
