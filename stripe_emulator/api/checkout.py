"""Checkout sessions and what Stripe's own page asks for: https://docs.stripe.com/api/checkout/sessions"""

from stripe_emulator import clock, store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour.checkout import create_session, expire, pay
from stripe_emulator.behaviour.payment_methods import get_or_create
from stripe_emulator.errors import Json, StripeRefusal

FILTERS = ("customer", "customer_details", "payment_intent", "payment_link", "status", "subscription")
HOLDING_METADATA = ("payment_intent_data", "setup_intent_data", "subscription_data")


readable("checkout/sessions", kind="checkout.session", params="checkout.Session", filters=FILTERS)


@route("POST", "checkout/sessions", params="checkout.SessionCreateParams")
def create_checkout_session(call: Call) -> Json:
    params = {**call.params, "metadata": merged_metadata({}, call.params.get("metadata"))}
    for name in HOLDING_METADATA:
        if name in params:
            params[name] = {**params[name], "metadata": merged_metadata({}, params[name].get("metadata"))}
    return create_session(params, at=call.at, is_pinned=call.is_pinned).data


@route("POST", "checkout/sessions/{id}/expire", params="checkout.SessionExpireParams")
def expire_checkout_session(call: Call, *, id: str) -> Json:
    session = store.get("checkout.session", id, lock=True)
    expire(session, at=clock.now_for(session))
    return session.data


@route("GET", "payment_pages/{id}")
def retrieve_payment_page(call: Call, *, id: str) -> Json:
    return store.get("checkout.session", id).data


@route("POST", "payment_pages/{id}/confirm")
def confirm_payment_page(call: Call, *, id: str) -> Json:
    """Pay with `payment_method`. `expected_amount`: what the buyer has seen, in minor units."""
    session = store.get("checkout.session", id, lock=True)
    expected = call.params.get("expected_amount")
    if expected is not None and expected != str(session.data["amount_total"]):
        message = f"The amount of the Checkout Session is {session.data['amount_total']}, not {str(expected)[:30]}."
        raise StripeRefusal(message, code="checkout_amount_mismatch", param="expected_amount")
    at = clock.now_for(session)
    named = call.params.get("payment_method")
    pay(session, get_or_create(named, at=at, parent=session) if named else None, at=at)
    return session.data
