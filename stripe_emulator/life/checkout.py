"""The life of a Checkout session: opened, tried, paid, expired."""

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import payments, setups
from stripe_emulator.life.catalogue import missing
from stripe_emulator.life.completion import EXPIRY, complete, ensure_customer
from stripe_emulator.life.line_items import check_total, line_items_of
from stripe_emulator.life.session_fields import shown_fields
from stripe_emulator.life.session_intents import cancel_intent, find_question, intent_of, setup_of
from stripe_emulator.life.session_rules import check_rules, expires_at, method_types
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.checkout_session import new_session
from stripe_emulator.timers import drop_timer, reacts_to, set_timer


def create_session(params: Json, *, at: int, is_pinned: bool) -> StoredObject:
    """An open session and the timer of its end. Raises StripeRefusal; an event does not tell of it.

    `is_pinned` as in `Call`: under older versions `payment_method_types` chooses how to pay.
    """
    check_rules(params, at=at, is_pinned=is_pinned)
    ends_at = expires_at(params, at=at)
    customer = store.get_living("customer", params["customer"], param="customer") if params.get("customer") else None
    lines = line_items_of(params, at=at)
    currency = lines[0]["currency"] if lines else params.get("currency", "eur").lower()
    fields = shown_fields(params, customer=customer, lines=lines, currency=currency)
    if lines:
        check_total(params["mode"], fields["amount_total"], currency)
    types = method_types(params, currency=currency)
    session = store.keep(
        new_session(
            at, base_url=settings.STRIPE_EMULATOR_URL, expires_at=ends_at, payment_method_types=types, **fields
        ),
        line_items=lines,
        intent_data=params.get("payment_intent_data") or {},
        subscription_data=params.get("subscription_data") or {},
        setup_data=params.get("setup_intent_data") or {},
    )
    set_timer(EXPIRY, session, at=ends_at)
    return session


def pay(session: StoredObject, method: StoredObject | None, *, at: int, billing: Json | None = None) -> None:
    """The buyer pays what is due with this method. Afterwards `session` is as the payment has left it.

    Complete and paid, or complete and unpaid while a debit is under way, or still open when the bank asks for 3-D
    Secure. Where nothing is due no method is needed, and `billing` tells who has bought, as `billing_details` of a
    method do. Raises StripeRefusal unless the session is open, CardDeclined when the bank says no: the session stays
    open and can be tried again.
    """
    _refuse_unless_open(session, "paid")
    if session.data["mode"] == "payment" and session.data["amount_total"] == 0:
        ensure_customer(session, billing or {}, at=at)
        complete(session, at=at, billing=billing)
        return
    if method is None:
        raise missing("payment_method")
    _refuse_unfit(session, method)
    ensure_customer(session, method.data["billing_details"], at=at)
    if session.data["amount_total"]:
        payments.confirm(intent_of(session, at=at), method, at=at)
        session.refresh_from_db()
    else:
        setup = setup_of(session, at=at)
        setups.confirm_setup(setup, method, at=at)
        _complete_if_saved(session, setup, at)


def answer_authentication(session: StoredObject, *, at: int, succeeded: bool) -> None:
    """The buyer has answered the bank's 3-D Secure question. Raises as `pay` does."""
    _refuse_unless_open(session, "paid")
    intent = find_question(session)
    if intent is None:
        raise StripeRefusal("This Checkout Session asks for no authentication.", code="payment_intent_unexpected_state")
    if intent.kind == "payment_intent":
        payments.authenticate(intent, at=at, succeeded=succeeded)
        session.refresh_from_db()
    else:
        setups.authenticate_setup(intent, at=at, succeeded=succeeded)
        _complete_if_saved(session, intent, at)


def expire(session: StoredObject, *, at: int) -> None:
    """Nobody can pay it any more. Raises StripeRefusal unless it is open."""
    _refuse_unless_open(session, "expired")
    drop_timer(EXPIRY, session)
    session.change(status="expired", url=None)
    emit("checkout.session.expired", session, at=at)
    cancel_intent(session, at=at)


@reacts_to(EXPIRY)
def expire_by_itself(session: StoredObject, at: int) -> None:
    """The time is over."""
    expire(session, at=at)


def _refuse_unless_open(session: StoredObject, done: str) -> None:
    status = session.data["status"]
    if status != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be {done}.'
        raise StripeRefusal(f"{message} This Checkout Session has a status of `{status}`.", param="session")


def _refuse_unfit(session: StoredObject, method: StoredObject) -> None:
    if method.data["type"] not in session.data["payment_method_types"]:
        message = f"This Checkout Session does not accept the payment method type {method.data['type']}."
        raise StripeRefusal(message, param="payment_method")


def _complete_if_saved(session: StoredObject, setup: StoredObject, at: int) -> None:
    if setup.data["status"] == "succeeded":
        method = store.get("payment_method", setup.data["payment_method"])
        complete(session, at=at, method=method)
