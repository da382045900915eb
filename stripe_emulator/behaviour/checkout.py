"""The life of a Checkout session: opened, tried, paid, completed, expired."""

from typing import Any

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.behaviour import payment_intents, payment_methods, session_params, setup_intents, subscriptions
from stripe_emulator.behaviour.payment_intents import observes
from stripe_emulator.errors import Json, StripeRefusal, missing_param
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.account import new_customer
from stripe_emulator.objects.checkout import UNKNOWN_CUSTOMER, new_session
from stripe_emulator.timers import drop_timer, reacts_to, set_timer

EXPIRY_TIMER = "checkout.session.expire"
DAY = 24 * 3600
COPIED_TO_INTENT = (
    "description", "metadata", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
    "statement_descriptor_suffix",
)  # fmt: skip


def create_session(params: Json, *, at: int, is_pinned: bool) -> StoredObject:
    """An open session and the timer of its end. Raises StripeRefusal; an event does not tell of it.

    `is_pinned` as in `Call`: under older versions `payment_method_types` chooses how to pay.
    """
    session_params.check_rules(params, at=at, is_pinned=is_pinned)
    ends_at = session_params.expires_at(params, at=at)
    customer = store.get_living("customer", params["customer"], param="customer") if params.get("customer") else None
    lines = session_params.line_items_from_params(params, at=at)
    currency = lines[0]["currency"] if lines else params.get("currency", "eur").lower()
    fields = session_params.session_fields(params, customer=customer, lines=lines, currency=currency)
    if lines:
        session_params.check_total(fields["amount_total"], currency)
    fields |= {"payment_method_types": session_params.method_types(params, currency=currency), "expires_at": ends_at}
    session = store.keep(
        new_session(at, base_url=settings.STRIPE_EMULATOR_URL, **fields),
        line_items=lines,
        intent_data=params.get("payment_intent_data") or {},
        subscription_data=params.get("subscription_data") or {},
        setup_data=params.get("setup_intent_data") or {},
    )
    set_timer(EXPIRY_TIMER, session, at=ends_at)
    return session


def pay(session: StoredObject, method: StoredObject | None, *, at: int, billing: Json | None = None) -> None:
    """The buyer pays what is due with this method. Afterwards `session` is as the payment has left it.

    Complete and paid, or complete and unpaid while a debit is under way, or still open when the bank asks for 3-D
    Secure. Where nothing is due no method is needed, and `billing` tells who has bought, as `billing_details` of a
    method do. Raises StripeRefusal unless the session is open, CardDeclined when the bank says no: the session stays
    open and can be tried again.
    """
    _require_open(session, "paid")
    if session.data["mode"] == "payment" and session.data["amount_total"] == 0:
        _ensure_customer(session, billing or {}, at=at)
        _complete(session, at=at, billing=billing)
        return
    if method is None:
        raise missing_param("payment_method")
    if method.data["type"] not in session.data["payment_method_types"]:
        message = f"This Checkout Session does not accept the payment method type {method.data['type']}."
        raise StripeRefusal(message, param="payment_method")
    _ensure_customer(session, method.data["billing_details"], at=at)
    if session.data["amount_total"]:
        payment_intents.confirm(_find_intent(session) or _create_payment_intent(session, at=at), method, at=at)
        session.refresh_from_db()
    else:
        setup = _find_intent(session) or _create_setup_intent(session, at=at)
        setup_intents.confirm_setup(setup, method, at=at)
        _complete_if_saved(session, setup, at)


def answer_authentication(session: StoredObject, *, at: int, succeeded: bool) -> None:
    """The buyer has answered the bank's 3-D Secure question. Raises as `pay` does."""
    _require_open(session, "paid")
    intent = _find_intent(session)
    if intent is None or intent.data["status"] != "requires_action":
        raise StripeRefusal("This Checkout Session asks for no authentication.", code="payment_intent_unexpected_state")
    if intent.kind == "payment_intent":
        payment_intents.authenticate(intent, at=at, succeeded=succeeded)
        session.refresh_from_db()
    else:
        setup_intents.authenticate_setup(intent, at=at, succeeded=succeeded)
        _complete_if_saved(session, intent, at)


@reacts_to(EXPIRY_TIMER)
def expire(session: StoredObject, *, at: int) -> None:
    """Nobody can pay it any more, and who has the bank's question open comes too late. Raises StripeRefusal."""
    _require_open(session, "expired")
    drop_timer(EXPIRY_TIMER, session)
    session.change(status="expired", url=None)
    emit("checkout.session.expired", session, at=at)
    intent = _find_intent(session)
    if intent is None or intent.data["status"] == "canceled":
        return
    if intent.kind == "payment_intent":
        payment_intents.cancel(intent, at=at, reason="automatic")
    else:
        setup_intents.cancel_setup(intent, at=at)


@observes("session")
def _follow_intent(intent: StoredObject, at: int) -> None:
    """The session follows its PaymentIntent: complete, later settled or failed."""
    session = store.get("checkout.session", intent.hidden["session"], lock=True)
    status = intent.data["status"]
    if session.data["status"] == "open" and status in ("succeeded", "processing"):
        _complete(session, at=at, intent=intent)
    elif session.data["status"] == "complete" and session.data["payment_status"] == "unpaid":
        _settle(session, intent, at)


def awaits_authentication(session: StoredObject) -> bool:
    """Whether the bank's 3-D Secure question is open; nothing is locked."""
    intent = _find_intent(session, lock=False)
    return intent is not None and intent.data["status"] == "requires_action"


def _require_open(session: StoredObject, done: str) -> None:
    status = session.data["status"]
    if status != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be {done}.'
        raise StripeRefusal(f"{message} This Checkout Session has a status of `{status}`.", param="session")


def _complete_if_saved(session: StoredObject, setup: StoredObject, at: int) -> None:
    if setup.data["status"] == "succeeded":
        method = store.get("payment_method", setup.data["payment_method"])
        _complete(session, at=at, method=method)


def _complete(
    session: StoredObject,
    *,
    at: int,
    intent: StoredObject | None = None,
    method: StoredObject | None = None,
    billing: Json | None = None,
) -> None:
    """The buyer is through; with a debit under way the money comes later. Emits checkout.session.completed."""
    if intent is not None:
        method = store.get("payment_method", intent.data["payment_method"])
    details = (method.data["billing_details"] if method else billing) or {}
    drop_timer(EXPIRY_TIMER, session)
    # A subscription's first invoice counts as paid even when it is over nothing.
    status = "no_payment_required" if session.data["payment_status"] == "no_payment_required" else "paid"
    if intent is not None and intent.data["status"] == "processing":
        status = "unpaid"
    shown = _collected_details(session, details)
    session.change(status="complete", payment_status=status, url=None, customer=_customer_id(session), **shown)
    if session.data["mode"] == "subscription" and method is not None:
        _subscribe(session, at, intent, method)
    emit("checkout.session.completed", session, at=at)


def _ensure_customer(session: StoredObject, billing: Json, *, at: int) -> None:
    """Make the buyer's customer at the first try, when the session calls for one."""
    is_wanted = session.data["mode"] == "subscription" or session.data["customer_creation"] == "always"
    if _customer_id(session) or not is_wanted:
        return
    fields = {name: billing.get(name) for name in ("name", "phone", "address")}
    fields["email"] = session.data["customer_email"] or billing.get("email")
    customer = store.keep(new_customer(at, **fields), parent=session)
    emit("customer.created", customer, at=at)
    session.remember(customer=customer.stripe_id)


def _settle(session: StoredObject, intent: StoredObject, at: int) -> None:
    """The debit has gone through or come back."""
    if intent.data["status"] == "succeeded":
        session.change(payment_status="paid")
        emit("checkout.session.async_payment_succeeded", session, at=at)
    elif intent.data["status"] == "requires_payment_method":
        emit("checkout.session.async_payment_failed", session, at=at)


def _subscribe(session: StoredObject, at: int, intent: StoredObject | None, method: StoredObject) -> None:
    """What was subscribed to begins, with its first invoice paid, or being paid, by this intent."""
    customer = store.get("customer", session.data["customer"], lock=True)
    if method.data["customer"] is None:
        payment_methods.attach(method, customer, at=at)
    data = session.hidden["subscription_data"]
    trial_days = data.get("trial_period_days", 0)
    subscription = subscriptions.create_subscription(
        customer=customer,
        items=[{"price": row["price"]["id"], "quantity": row["quantity"]} for row in session.hidden["line_items"]],
        at=at,
        parent=session,
        metadata=data.get("metadata"),
        intent=intent,
        default_payment_method=method.stripe_id,
        trial_end=data.get("trial_end") or (at + trial_days * DAY if trial_days else None),
        description=data.get("description"),
    )
    session.change(subscription=subscription.stripe_id, invoice=subscription.data["latest_invoice"])


def _collected_details(session: StoredObject, billing: Json) -> Json:
    """What the page has learnt about the buyer."""
    known = (session.data["customer_details"] or {}).get("email")
    details = {name: billing.get(name) for name in ("address", "name", "phone")}
    if session.data["mode"] == "setup":
        details["address"] = None
    shown = {**UNKNOWN_CUSTOMER, **details, "email": known or billing.get("email")}
    collected = {"business_name": None, "individual_name": None, "shipping_details": None}
    return {"customer_details": shown, "collected_information": collected}


def _create_payment_intent(session: StoredObject, *, at: int) -> StoredObject:
    """https://docs.stripe.com/changelog/2022-08-01/deferred-paymentintent-checkout-session"""
    data = session.hidden["intent_data"]
    fields = {name: data[name] for name in COPIED_TO_INTENT if name in data}
    if session.data["mode"] == "subscription":
        fields["setup_future_usage"] = "off_session"
    amount, currency = session.data["amount_total"], session.data["currency"]
    intent = payment_intents.create_intent(
        at, amount=amount, currency=currency, **_shared_with_intent(session), **fields
    )
    session.remember(intent=intent.stripe_id)
    if session.data["mode"] == "payment":
        session.change(payment_intent=intent.stripe_id)
    return intent


def _create_setup_intent(session: StoredObject, *, at: int) -> StoredObject:
    """Nothing is due now, but later."""
    setup = setup_intents.create_setup(at, **_shared_with_intent(session), **session.hidden["setup_data"])
    session.remember(intent=setup.stripe_id)
    if session.data["mode"] == "setup":
        session.change(setup_intent=setup.stripe_id)
    return setup


def _shared_with_intent(session: StoredObject) -> dict[str, Any]:
    """What an intent of either kind has of its session."""
    return {
        "parent": session,
        "hidden": {"session": session.stripe_id},
        "customer": _customer_id(session),
        "payment_method_types": session.data["payment_method_types"],
    }


def _customer_id(session: StoredObject) -> str | None:
    """Named by the call, or made at the first try; the session itself shows the latter when it is complete."""
    return session.data["customer"] or session.hidden.get("customer")


def _find_intent(session: StoredObject, *, lock: bool = True) -> StoredObject | None:
    """The intent of either kind, if the buyer has tried to pay."""
    id = session.hidden.get("intent", "")
    return store.get("setup_intent" if id.startswith("seti_") else "payment_intent", id, lock=lock) if id else None
