"""Opens Checkout for an order: at most one session in which it can be paid, whatever fails on the way to Stripe."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.checkout.attempts import OrderNotPayable, StartedAttempt, begin_attempt, end_attempt, remember_session
from payments.checkout.refusals import Cause, ask_about_refusal, close_refusal
from payments.facts import ObjectRefs, OrderFact
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import OPEN_STATUSES, OrderStatus
from payments.stripe_api import clock
from payments.stripe_api.gateway import GatewayRefused, create_checkout_session, retrieve_checkout_session
from payments.stripe_api.snapshots import StripeCheckoutSession

log = structlog.get_logger(__name__)
SHORTEST_SESSION, LONGEST_SESSION = timedelta(minutes=30), timedelta(hours=24)
# https://docs.stripe.com/api/payment_intents/object#payment_intent_object-status: a delayed payment that has failed.
NO_MONEY_COMES = ("requires_payment_method", "requires_source", "canceled")


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """Where and until when the buyer can pay. `number`: the order's attempt. Whoever knows `url` can pay there."""

    url: str
    session: str
    expires_at: datetime | None
    number: int


def open_checkout(*, order_id: int, at: datetime) -> OpenedCheckout:
    """The order's open Checkout session, or a new one where there is none. Not to be called inside a transaction.

    Raises OrderNotPayable, GatewayRefused (then nobody can pay in what was asked for), or GatewayUnavailable: then
    nobody knows, and the next call asks Stripe the same again under the same key.
    """
    over = 0
    while True:
        begun = begin_attempt(order_id=order_id, over=over, at=at)
        session = _resume(begun.attempt) if begun.attempt.session else _create(begun, at=at)
        if session:
            return _opened(begun.attempt, session)
        over = begun.attempt.number


def _resume(attempt: CheckoutAttempt) -> StripeCheckoutSession | None:
    """Its session if it is open, None if nobody can pay in it any more. What it tells else is left to the events.

    Raises OrderNotPayable where money came or may still come: a second session would take it twice.
    """
    try:
        session = retrieve_checkout_session(session=attempt.session)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        log.warning("checkout.session_missing", order=attempt.order_id, session=attempt.session)
        return None
    if session.status == "complete":
        _require_failed(session, order=attempt.order)
    return session if session.status == "open" else None


def _require_failed(session: StripeCheckoutSession, *, order: Order) -> None:
    """The buyer has gone through it: only a delayed payment that has failed leaves something to pay."""
    if session.payment_status != "unpaid":
        raise OrderNotPayable(_("Order %s has just been paid; Stripe is about to say so.") % order.number)
    if session.intent_status not in NO_MONEY_COMES:
        raise OrderNotPayable(_("A payment of order %s is under way.") % order.number)


def _create(begun: StartedAttempt, *, at: datetime) -> StripeCheckoutSession | None:
    """The session that was asked for. None: an earlier call has made none either, and is too old to be repeated."""
    attempt = begun.attempt
    key = f"{attempt.order.public_id}:{attempt.number}"
    try:
        session = create_checkout_session(params=attempt.params or {}, idempotency_key=key)
    except GatewayRefused as refusal:
        log.warning(
            "checkout.refused", order=attempt.order_id, attempt=attempt.number, code=refusal.code,
            stripe_request=refusal.request_id,
        )  # fmt: skip
        # The key was used for other parameters: a session may exist, so another one must wait for its end.
        if refusal.code == "idempotency_error":
            raise
        end_attempt(attempt, at=at)
        if _is_by_clock(attempt, refusal, at=at):
            return None
        # A call that had been carried out would have been answered again: https://docs.stripe.com/api/idempotent_requests
        if begun.is_repeated:
            return None
        ask_about_refusal(Cause.of_order(attempt.order), refusal, at=at)
        raise
    remember_session(attempt, session=session.refs.session)
    close_refusal(Cause.of_order(attempt.order), at=at)
    return session


def _is_by_clock(attempt: CheckoutAttempt, refusal: GatewayRefused, *, at: datetime) -> bool:
    """Whether only our clock made the end of the session wrong: by Stripe's, which this very answer told, another fits.

    https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at
    """
    if refusal.param != "expires_at" or attempt.expires_at is None:
        return False
    left = attempt.expires_at - (at + clock.offset(at=at))
    return not SHORTEST_SESSION <= left <= LONGEST_SESSION


def _opened(attempt: CheckoutAttempt, session: StripeCheckoutSession) -> OpenedCheckout:
    log.info("checkout.opened", order=attempt.order_id, attempt=attempt.number, session=session.refs.session)
    expires_at = session.expires_at or attempt.expires_at
    return OpenedCheckout(session.url, session.refs.session, expires_at, attempt.number)


FREE_OF_CHARGE = "free of charge"


@transaction.atomic
def confirm_free(*, order: Order, at: datetime) -> bool:
    """Confirm an order that costs nothing. True if it was one that waits; its products have followed then."""
    if order.amount or order.status not in OPEN_STATUSES:
        return False
    refs = ObjectRefs(order=str(order.public_id))
    fact = OrderFact(refs=refs, status=OrderStatus.PAID, occurred_at=at)
    report = apply([FactSet(facts=[fact], source=FREE_OF_CHARGE, occurred_at=at)], at=at)
    if error := report.applied[0].error:
        raise error
    return True
