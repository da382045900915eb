"""Registers one person for an activity: a place, held for a while, and the way to pay for it or to confirm it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from payments.checkout.attempts import SESSION_LIFE
from payments.checkout.open_checkout import confirm_free as confirm_free_order
from payments.checkout.open_checkout import open_checkout
from payments.cleanup.closing import close_order
from payments.effects.enqueue import enqueue
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.statuses import AWAITING_PAYMENT, OPEN_STATUSES, OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.holds import require_few_holds, wait_in_line
from registrations.invitations import way_on_messages
from registrations.models import ORDER_KIND, Activity, EmailState, Registration, WaitingEntry
from registrations.places import take_place
from registrations.visitors import NOBODY, Visitor

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
    """`is_resumed`: the place was held already, with an order that still waits. `is_mailed`: only a mail leads on."""

    registration: Registration
    is_resumed: bool = False
    is_mailed: bool = False


@transaction.atomic
def register_or_resume(
    *, activity: Activity, name: str, email: str, language: str, at: datetime, visitor: Visitor = NOBODY
) -> RegisterResult:
    """A place for this person, held while they pay or, where nothing is due, while they confirm their address.

    Clicked twice, or in two windows, it is one registration. What somebody else may have begun goes on by mail. Raises
    SalesClosed, AlreadyRegistered (paid, or free and confirmed), ActivityFull or TooManyHolds; then nothing has
    happened.
    """
    if activity.sale_at(at).is_closed:
        raise SalesClosed(activity.title)
    wait_in_line(email=email, client=visitor.client)
    if held := _find_held(activity, name=name, email=email):
        return _resume(held, visitor, at=at)
    if activity.has_waiting_people():
        raise ActivityFull(activity.title)
    require_few_holds(email=email, client=visitor.client, at=at)
    try:
        row = register(activity=activity, name=name, email=email, language=language, at=at, visitor=visitor)
    except AlreadyRegistered:
        # A click a moment earlier, in another process: it is committed by now.
        if held := _find_held(activity, name=name, email=email):
            return _resume(held, visitor, at=at)
        raise
    if row.order.amount or confirm_free(registration=row, at=at):
        return RegisterResult(row)
    return _mail_way_on(row, is_resumed=False, at=at)


@transaction.atomic
def register(
    *, activity: Activity, name: str, email: str, language: str, at: datetime, external_id: str | None = None,
    visitor: Visitor | None = None,
) -> Registration:  # fmt: skip
    """One place for one person, held for as long as one can pay for it or confirm it, and the order to pay.

    `visitor` None: nobody need be asked whether the address is theirs. Raises SalesClosed, AlreadyRegistered or
    ActivityFull; then nothing has happened.
    """
    if not activity.is_on_sale:
        raise SalesClosed(activity.title)
    order = Order(
        kind=ORDER_KIND, email=email, label=activity.told("title", language=language), amount=activity.price,
        currency=activity.currency, livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    by = visitor or NOBODY
    row = Registration(
        activity=activity, name=name, email=email, language=language, external_id=external_id, holds_place=True,
        held_until=at + _hold_time(activity), created_at=at, user=User.objects.find_confirmed(email),
        email_state=_email_state(activity, email, visitor), client=by.client, browser=by.browser,
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
def confirm_address(*, registration: Registration, at: datetime) -> bool:
    """Somebody who reads mail at the address wants the free place: it is theirs. False where it waits no more."""
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    if order.status in AWAITING_PAYMENT:
        asked = Registration.objects.filter(pk=registration.pk, email_state=EmailState.ASKED)
        asked.update(email_state=EmailState.CONFIRMED)
    registration.refresh_from_db()
    return confirm_free(registration=registration, at=at)


def prove_address(*, registration: Registration, at: datetime) -> None:
    """Somebody who reads mail at the address goes on: who began it in their name has neither link nor browser for it.

    Safe to call twice.
    """
    first = Registration.objects.filter(pk=registration.pk, address_proven_at=None)
    if first.update(address_proven_at=at, browser=""):
        log.info("registration.address_proven", registration=str(registration.public_id), order=registration.order_id)
    registration.refresh_from_db(fields=["address_proven_at", "browser"])


@transaction.atomic
def confirm_free(*, registration: Registration, at: datetime) -> bool:
    """Confirm a registration that costs nothing. True if it was one that waits, and not for its address."""
    if registration.is_unconfirmed:
        return False
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
    rows = Registration.objects.placed(activity, name=name, email=email)
    return rows.select_related("order", "activity").order_by("pk").last()


def _resume(row: Registration, visitor: Visitor, *, at: datetime) -> RegisterResult:
    if row.order.status not in AWAITING_PAYMENT:
        raise AlreadyRegistered(row.email)
    if visitor.owns(row.email):
        prove_address(registration=row, at=at)
    if row.order.amount and visitor.may_go_on_with(row):
        return RegisterResult(row, is_resumed=True)
    if not row.order.amount and visitor.owns(row.email):
        confirm_address(registration=row, at=at)
        return RegisterResult(row, is_resumed=True)
    return _mail_way_on(row, is_resumed=True, at=at)


def _mail_way_on(row: Registration, *, is_resumed: bool, at: datetime) -> RegisterResult:
    """Whoever reads mail at the address can go on from there; nobody is flooded."""
    enqueue(way_on_messages(row, at=at), at=at)
    return RegisterResult(row, is_resumed=is_resumed, is_mailed=True)


def _hold_time(activity: Activity) -> timedelta:
    return SESSION_LIFE if activity.price else timedelta(minutes=settings.FREE_HOLD_MINUTES)


def _email_state(activity: Activity, email: str, visitor: Visitor | None) -> EmailState:
    """What costs money is confirmed by paying."""
    if visitor is None:
        return EmailState.NOT_ASKED
    if visitor.owns(email):
        return EmailState.CONFIRMED
    return EmailState.NOT_ASKED if activity.price else EmailState.ASKED


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
