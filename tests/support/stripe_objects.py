"""Small Stripe objects as plain JSON, and what the handlers say about them."""

from datetime import UTC, datetime
from typing import Any

from payments.facts import Fact, NoFacts
from payments.handlers.registry import HANDLERS, EventView

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)
ORDER = "7b0c3f0e-43c1-4c53-9a5e-0d2f4f1f7a11"
REGISTRATION = "f3b1a1f4-0f5e-4f0c-8a57-6f1b8a0f2b22"
METADATA = {"orderId": ORDER, "registrationId": REGISTRATION, "attempt": "2", "site": "payments"}
# What may stand where an amount should, and is none.
NO_AMOUNT: list[object] = [None, True, "4900", 4900.0, -1, 10**20, [], {}]
Json = dict[str, Any]


def session_object(**changes: Any) -> Json:
    """A paid Checkout session of our order."""
    usual = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_1",
        "amount_total": 4900,
        "currency": "eur",
        "client_reference_id": ORDER,
        "metadata": METADATA,
    }
    return {**usual, **changes}


def intent_object(**changes: Any) -> Json:
    """A PaymentIntent that succeeded."""
    usual = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 4900,
        "amount_received": 4900,
        "currency": "eur",
        "latest_charge": "ch_1",
        "last_payment_error": None,
        "metadata": METADATA,
        "status": "succeeded",
    }
    return {**usual, **changes}


def charge_object(**changes: Any) -> Json:
    """A charge, made in the morning, of which 1000 went back."""
    usual = {
        "id": "ch_1",
        "object": "charge",
        "amount": 4900,
        "amount_captured": 4900,
        "amount_refunded": 1000,
        "captured": True,
        "created": int(MORNING.timestamp()),
        "currency": "eur",
        "metadata": METADATA,
        "payment_intent": "pi_1",
    }
    return {**usual, **changes}


def refund_object(**changes: Any) -> Json:
    """A refund of 1000 without metadata of ours."""
    usual = {
        "id": "re_1",
        "object": "refund",
        "amount": 1000,
        "charge": "ch_1",
        "currency": "eur",
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": "requested_by_customer",
        "status": "succeeded",
    }
    return {**usual, **changes}


def dispute_object(**changes: Any) -> Json:
    """An open dispute of the whole payment."""
    usual = {
        "id": "du_1",
        "object": "dispute",
        "amount": 4900,
        "charge": "ch_1",
        "currency": "eur",
        "evidence_details": {"due_by": int(NOON.timestamp()) + 3600},
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
    }
    return {**usual, **changes}


def told_by(event_type: str, stripe_object: Json, *, at: datetime = NOON) -> list[Fact | NoFacts]:
    """Everything that the handler of this type says about an event with this object."""
    handler = HANDLERS.get(event_type)
    assert handler, f"nobody handles {event_type}"
    return list(handler(EventView(id="evt_1", type=event_type, occurred_at=at, object=stripe_object)))
