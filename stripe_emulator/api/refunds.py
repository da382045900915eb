"""Money given back: https://docs.stripe.com/api/refunds"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import refunds
from stripe_emulator.models import StoredObject


@answers("POST", "refunds", params="RefundCreateParams")
def create(call: Call) -> Json:
    charge = _charge(call.params)
    given = refunds.refund(
        charge,
        at=clock.now_for(charge),
        amount=call.params.get("amount"),
        reason=call.params.get("reason"),
        metadata=merged({}, call.params.get("metadata")),
    )
    return given.data


@answers("GET", "refunds", params="RefundListParams")
def list_all(call: Call) -> Json:
    return list_objects("refund", call.params, url="/v1/refunds", filters=("charge", "payment_intent"))


@answers("GET", "refunds/{id}", params="RefundRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("refund", id).data


@answers("POST", "refunds/{id}", params="RefundUpdateParams")
def update(call: Call, *, id: str) -> Json:
    refund = store.get("refund", id, lock=True)
    metadata = merged(refund.data["metadata"], call.params.get("metadata"))
    refunds.update_refund(refund, at=clock.now_for(refund), metadata=metadata)
    return refund.data


@answers("POST", "refunds/{id}/cancel", params="RefundCancelParams")
def cancel(call: Call, *, id: str) -> Json:
    store.get("charge", store.get("refund", id).data["charge"], lock=True)
    refund = store.get("refund", id, lock=True)
    refunds.cancel_refund(refund, at=clock.now_for(refund))
    return refund.data


def _charge(params: Json) -> StoredObject:
    """The charge to give back, locked. Raises StripeRefusal."""
    intent_id, charge_id = params.get("payment_intent"), params.get("charge")
    if bool(intent_id) == bool(charge_id):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeRefusal(message, code="parameter_missing")
    if charge_id:
        return store.get("charge", charge_id, param="charge", lock=True)
    intent = store.get("payment_intent", str(intent_id), param="payment_intent")
    if not intent.data["latest_charge"]:
        message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
        raise StripeRefusal(message, param="payment_intent")
    return store.get("charge", intent.data["latest_charge"], lock=True)
