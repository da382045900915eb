"""Chargebacks and inquiries: https://docs.stripe.com/api/disputes"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import disputes
from stripe_emulator.shapes.dispute import TEXTS

LONGEST_TEXT = 20_000


@answers("GET", "disputes", params="DisputeListParams")
def list_all(call: Call) -> Json:
    return list_objects("dispute", call.params, url="/v1/disputes", filters=("charge", "payment_intent"))


@answers("GET", "disputes/{id}", params="DisputeRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("dispute", id).data


@answers("POST", "disputes/{id}", params="DisputeUpdateParams")
def update(call: Call, *, id: str) -> Json:
    dispute = store.get("dispute", id, lock=True)
    evidence = _evidence(call.params.get("evidence") or {})
    submit = call.params.get("submit", bool(evidence))
    metadata = merged(dispute.data["metadata"], call.params.get("metadata"))
    disputes.answer_dispute(
        dispute, at=clock.now_for(dispute), evidence=evidence, metadata=metadata, submit=submit in (True, "true")
    )
    return dispute.data


@answers("POST", "disputes/{id}/close", params="DisputeCloseParams")
def close(call: Call, *, id: str) -> Json:
    dispute = store.get("dispute", id, lock=True)
    disputes.close_dispute(dispute, at=clock.now_for(dispute), won=False)
    return dispute.data


def _evidence(given: Json) -> Json:
    """The texts among the evidence. Raises StripeRefusal beyond Stripe's limit."""
    texts = {name: given[name] for name in TEXTS if name in given}
    for name, text in texts.items():
        if len(text) > LONGEST_TEXT:
            raise StripeRefusal(f"Evidence has at most {LONGEST_TEXT} characters.", param=f"evidence[{name}]")
    return texts
