"""Checkout sessions and what Stripe's own page asks for: https://docs.stripe.com/api/checkout/sessions"""

from stripe_emulator import store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour.checkout import create_session, expire, pay
from stripe_emulator.behaviour.payment_methods import get_or_create
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.models import StoredObject

FILTERS = ("customer", "customer_details", "payment_intent", "payment_link", "status", "subscription")
HOLDING_METADATA = ("payment_intent_data", "setup_intent_data", "subscription_data")


readable("checkout/sessions", kind="checkout.session", params="checkout.Session", filters=FILTERS)


@route("POST", "checkout/sessions", params="checkout.SessionCreateParams")
def create_checkout_session(call: Call) -> StoredObject:
    params = {**call.params, "metadata": call.metadata()}
    for name in HOLDING_METADATA:
        if name in params:
            params[name] = {**params[name], "metadata": merged_metadata({}, params[name].get("metadata"))}
    return create_session(params, at=call.at, is_pinned=call.is_pinned)


@route("POST", "checkout/sessions/{id}/expire", params="checkout.SessionExpireParams")
def expire_checkout_session(call: Call, *, id: str) -> StoredObject:
    session, at = store.locked("checkout.session", id)
    expire(session, at=at)
    return session


@route("GET", "payment_pages/{id}")
def retrieve_payment_page(call: Call, *, id: str) -> StoredObject:
    return store.get("checkout.session", id)


@route("POST", "payment_pages/{id}/confirm")
def confirm_payment_page(call: Call, *, id: str) -> StoredObject:
    """Pay with `payment_method`. `expected_amount`: what the buyer has seen, in minor units."""
    session, at = store.locked("checkout.session", id)
    expected, due = call.params.get("expected_amount"), session.data["amount_total"]
    if expected is not None and expected != str(due):
        message = f"The amount of the Checkout Session is {due}, not {str(expected)[:30]}."
        raise StripeRefusal(message, code="checkout_amount_mismatch", param="expected_amount")
    named = call.params.get("payment_method")
    pay(session, get_or_create(named, at=at, parent=session) if named else None, at=at)
    return session
