"""Picks the order that a sample event is about, and tells what the event has to know of it."""

import re
from uuid import UUID

from django.conf import settings

from payments.names import registration_of
from payments.operations.samples.story import SampleSubject
from payments.orders.models import Order
from payments.statuses import OrderStatus

WAITING = (
    OrderStatus.PENDING,
    OrderStatus.ACTION_REQUIRED,
    OrderStatus.PROCESSING,
    OrderStatus.FAILED,
)
PAID = (OrderStatus.PAID, OrderStatus.REFUNDED)
AFTER_PAYMENT = ("charge.", "refund.")
NUMBER = re.compile(r"(?:O-)?([0-9]{1,18})", re.IGNORECASE | re.ASCII)


class NoOrder(LookupError):
    """There is no such order, or none that this event could be about; the text says what to do."""


def pick_order(event_type: str, *, order: str = "", registration: str = "") -> Order:
    """The order with this number, id or registration; none given: the newest that fits. Raises NoOrder."""
    if order:
        return _by_order(order.strip())
    if registration:
        return _by_registration(registration.strip())
    return _newest_for(event_type)


def subject_of(order: Order, *, registration: str = "") -> SampleSubject:
    """The order as its newest Checkout session and the money we know tell of it."""
    checkout = order.checkouts.order_by("number").last()
    attempt = checkout.number if checkout else order.attempt_number
    payment = order.payments.order_by("paid_at", "pk").last()
    return SampleSubject(
        order=str(order.public_id),
        registration=registration or registration_of(order),
        site=settings.SITE_NAME,
        attempt=attempt,
        amount=order.amount,
        currency=order.currency,
        email=order.email,
        name=order.email.partition("@")[0],
        livemode=settings.STRIPE_LIVEMODE,
        session=checkout.session if checkout else "",
        payment_intent=_stripe_id(payment.key if payment else "") or _tried_intent(order, attempt),
        charge=payment.charge if payment else "",
        began_at=checkout.created_at if checkout else order.created_at,
    )


def _by_order(given: str) -> Order:
    number = NUMBER.fullmatch(given)
    public_id = _as_uuid(given)
    if number:
        found = Order.objects.filter(pk=int(number[1])).first()
    else:
        found = Order.objects.filter(public_id=public_id).first() if public_id else None
    if found is None:
        raise NoOrder(f"There is no order {given!r}: give its number (O-000012) or its public id.")
    return found


def _by_registration(given: str) -> Order:
    names = [f"registration:{given}", f"registration:{given.lower()}"]
    found = Order.objects.filter(references__name__in=names).first()
    if found is None:
        raise NoOrder(f"There is no registration {given!r}: give its public id, or its id in the old system.")
    return found


def _newest_for(event_type: str) -> Order:
    if not Order.objects.exists():
        raise NoOrder("There is no order yet: run `manage.py seed_demo`, or register for an activity on the site.")
    is_later = event_type.startswith(AFTER_PAYMENT)
    newest = Order.objects.filter(status__in=PAID if is_later else WAITING).order_by("created_at", "pk").last()
    if newest is None and is_later:
        raise NoOrder("No order is paid yet: send payment_intent.succeeded first, or name an order with --order.")
    if newest is None:
        raise NoOrder("No order waits for payment: register on the site, or name an order with --order.")
    return newest


def _tried_intent(order: Order, attempt: int) -> str:
    """The PaymentIntent that this attempt is known to have, if Stripe named one."""
    known = order.references.filter(name__startswith="pi_", attempt=attempt).order_by("name")
    return known.values_list("name", flat=True).last() or ""


def _stripe_id(key: str) -> str:
    return key if key.startswith("pi_") else ""


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
