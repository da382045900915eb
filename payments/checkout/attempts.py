"""The books of an order's Checkout attempts: each step is stored, and committed, before the next call to Stripe."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from payments.apply.apply import follow_orders_again
from payments.names import registration_of
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.orders.opening import CHECKOUT_SOURCE, open_attempt
from payments.products import language_of, product_of
from payments.statuses import OPEN_PHASE, STATUS_ORDER, OrderStatus
from payments.stripe_api import clock
from payments.stripe_api.checkout_params import CheckoutRequest, checkout_params

# Stripe's shortest session is 30 minutes; one more survives clocks that differ.
SESSION_LIFE = timedelta(minutes=31)
# Its longest is 24 hours; one minute less survives clocks that differ.
MAX_SESSION_LIFE = timedelta(hours=24, minutes=-1)


class OrderNotPayable(Exception):
    """There is nothing to pay, or not any more, or not yet again; the text says which. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class StartedAttempt:
    """An attempt to go on with. `is_repeated`: Stripe was asked before, and how that ended is unknown."""

    attempt: CheckoutAttempt
    is_repeated: bool = False


@transaction.atomic(durable=True)
def begin_attempt(*, order_id: int, over: int, at: datetime) -> StartedAttempt:
    """The attempt to go on with: the newest while it may still be paid, else a new one with its parameters.

    `over`: the newest attempt of which the caller knows that nobody can pay in it. Raises OrderNotPayable.
    """
    order = _lock(order_id)
    require_payable(order)
    attempt = order.checkouts.order_by("number").last()
    if attempt and attempt.number > over and attempt.session:
        return StartedAttempt(attempt)
    if attempt and attempt.number > over and _is_asked(attempt, at=at):
        return StartedAttempt(attempt, is_repeated=True)
    if attempt is None or attempt.number <= over or not _is_untouched(attempt, order):
        attempt = open_attempt(order, at=at)
        follow_orders_again([order.pk], source=CHECKOUT_SOURCE, at=at)
    _prepare(attempt, order, expires_at=_end_of(attempt, at=at))
    return StartedAttempt(attempt)


@transaction.atomic(durable=True)
def remember_session(attempt: CheckoutAttempt, *, session: str) -> None:
    """Stripe has answered: the session belongs to the order. An event may have told so already."""
    _lock(attempt.order_id)
    attempt.refresh_from_db()
    if attempt.session not in ("", session):
        raise OrderNotPayable(_("This order has another Checkout session already."))
    attempt.session, attempt.params = session, None
    attempt.save(update_fields=["session", "params"])
    name = Reference(name=session, order_id=attempt.order_id, attempt=attempt.number)
    Reference.objects.bulk_create([name], ignore_conflicts=True)


@transaction.atomic(durable=True)
def end_attempt(attempt: CheckoutAttempt, *, at: datetime) -> None:
    """Stripe has refused: nothing can be paid there. Neither the number nor its key is used again."""
    _lock(attempt.order_id)
    CheckoutAttempt.objects.filter(pk=attempt.pk, session="").update(expires_at=at)


def require_payable(order: Order) -> None:
    """Raises OrderNotPayable with the reason why nobody can pay the order now."""
    if order.status in (OrderStatus.PAID, OrderStatus.REFUNDED):
        raise OrderNotPayable(_("Order %s has been paid.") % order.number)
    if STATUS_ORDER[order.status][0] != OPEN_PHASE:
        raise OrderNotPayable(_("Order %s is closed: a new one is needed.") % order.number)
    if order.status == OrderStatus.PROCESSING:
        raise OrderNotPayable(_("A payment of order %s is under way.") % order.number)
    if order.amount == 0:
        raise OrderNotPayable(_("Order %s is free: there is nothing to pay.") % order.number)


def _lock(order_id: int) -> Order:
    return Order.objects.select_for_update(no_key=True).get(pk=order_id)


def _is_asked(attempt: CheckoutAttempt, *, at: datetime) -> bool:
    """Stripe was asked and may have made a session, in which one could still pay."""
    return attempt.params is not None and attempt.expires_at is not None and attempt.expires_at > at


def _is_untouched(attempt: CheckoutAttempt, order: Order) -> bool:
    """Nobody has asked Stripe for it, and nothing was heard of it."""
    return attempt.params is None and not attempt.session and order.attempt_at is None


def _end_of(attempt: CheckoutAttempt, *, at: datetime) -> datetime:
    """Who was given longer, by an offer, can pay in one session as long as the offer lasts."""
    given = attempt.expires_at or at
    # By the clock of Stripe, which measures; where ours is behind, the place is held that much longer.
    there = at + clock.offset(at=at)
    return min(max(max(at, there) + SESSION_LIFE, given), min(at, there) + MAX_SESSION_LIFE)


def _prepare(attempt: CheckoutAttempt, order: Order, *, expires_at: datetime) -> None:
    # Stripe counts in whole seconds.
    attempt.expires_at = expires_at.replace(microsecond=0)
    attempt.params = {**checkout_params(_purchase(order, attempt))}
    attempt.save(update_fields=["expires_at", "params"])
    product_of(order).hold(order, until=attempt.expires_at)


def _purchase(order: Order, attempt: CheckoutAttempt) -> CheckoutRequest:
    product = product_of(order)
    return CheckoutRequest(
        order=str(order.public_id),
        registration=registration_of(order),
        attempt=attempt.number,
        site=settings.SITE_NAME,
        name=order.label or order.number,
        amount=order.amount,
        currency=order.currency,
        email=order.email,
        language=language_of(order),
        expires_at=attempt.expires_at or attempt.created_at,
        return_to=f"{settings.SITE_URL}{product.page_of(order) or '/'}",
        recurring=product.recurring_of(order),
    )
