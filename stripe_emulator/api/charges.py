"""Charges, refunds and disputes: https://docs.stripe.com/api/charges"""

from stripe_emulator import clock, store
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import disputes, refunds
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.charge import EVIDENCE_TEXTS

LONGEST_TEXT = 20_000


readable("charges", kind="charge", params="Charge", filters=("customer", "payment_intent"))
readable("refunds", kind="refund", params="Refund", filters=("charge", "payment_intent"))
readable("disputes", kind="dispute", params="Dispute", filters=("charge", "payment_intent"))
readable(
    "radar/early_fraud_warnings", kind="radar.early_fraud_warning", params="radar.EarlyFraudWarning",
    filters=("charge", "payment_intent"),
)  # fmt: skip


@route("POST", "refunds", params="RefundCreateParams")
def create_refund(call: Call) -> StoredObject:
    charge = _charge(call.params)
    amount, reason = call.params.get("amount"), call.params.get("reason")
    return refunds.refund(charge, at=clock.now_for(charge), amount=amount, reason=reason, metadata=call.metadata())


@route("POST", "refunds/{id}", params="RefundUpdateParams")
def update_refund(call: Call, *, id: str) -> StoredObject:
    refund, at = store.locked("refund", id)
    refunds.update_refund(refund, at=at, metadata=call.metadata(refund))
    return refund


@route("POST", "disputes/{id}", params="DisputeUpdateParams")
def update_dispute(call: Call, *, id: str) -> StoredObject:
    dispute, at = store.locked("dispute", id)
    evidence = _evidence(call.params.get("evidence") or {})
    submit = call.params.get("submit", bool(evidence))
    disputes.update_dispute(dispute, at=at, evidence=evidence, metadata=call.metadata(dispute), submit=submit)
    return dispute


@route("POST", "disputes/{id}/close", params="DisputeCloseParams")
def close_dispute(call: Call, *, id: str) -> StoredObject:
    dispute, at = store.locked("dispute", id)
    disputes.close_dispute(dispute, at=at, won=False)
    return dispute


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


def _evidence(given: Json) -> Json:
    """The texts among the evidence. Raises StripeRefusal beyond Stripe's limit."""
    texts = {name: given[name] for name in EVIDENCE_TEXTS if name in given}
    for name, text in texts.items():
        if len(text) > LONGEST_TEXT:
            raise StripeRefusal(f"Evidence has at most {LONGEST_TEXT} characters.", param=f"evidence[{name}]")
    return texts
