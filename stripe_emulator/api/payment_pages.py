"""What Stripe's own Checkout page asks for, as `stripe trigger checkout.session.completed` does too."""

from stripe_emulator import clock, store
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life.checkout import pay
from stripe_emulator.life.methods import usable


@answers("GET", "payment_pages/{id}")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("checkout.session", id).data


@answers("POST", "payment_pages/{id}/confirm")
def confirm(call: Call, *, id: str) -> Json:
    """Pay with `payment_method`. `expected_amount`: what the buyer has seen, in minor units."""
    session = store.get("checkout.session", id, lock=True)
    expected = call.params.get("expected_amount")
    if expected is not None and expected != str(session.data["amount_total"]):
        message = f"The amount of the Checkout Session is {session.data['amount_total']}, not {str(expected)[:30]}."
        raise StripeRefusal(message, code="checkout_amount_mismatch", param="expected_amount")
    at = clock.now_for(session)
    named = call.params.get("payment_method")
    pay(session, usable(named, at=at, parent=session) if named else None, at=at)
    return session.data
