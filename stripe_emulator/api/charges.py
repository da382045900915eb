"""Attempts to move money: https://docs.stripe.com/api/charges"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit

FIELDS = ("description", "receipt_email", "transfer_group")


@answers("GET", "charges", params="ChargeListParams")
def list_all(call: Call) -> Json:
    return list_objects("charge", call.params, url="/v1/charges", filters=("customer", "payment_intent"))


@answers("GET", "charges/{id}", params="ChargeRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("charge", id).data


@answers("POST", "charges/{id}", params="ChargeUpdateParams")
def update(call: Call, *, id: str) -> Json:
    charge = store.get("charge", id, lock=True)
    fields = {name: call.params[name] or None for name in FIELDS if name in call.params}
    previous = charge.change(**fields, metadata=merged(charge.data["metadata"], call.params.get("metadata")))
    if previous:
        emit("charge.updated", charge, at=clock.now_for(charge), previous=previous)
    return charge.data


@answers("GET", "charges/{id}/refunds", params="ChargeListRefundsParams")
def list_refunds(call: Call, *, id: str) -> Json:
    store.get("charge", id)
    of_charge = {**call.params, "charge": id}
    return list_objects("refund", of_charge, url=f"/v1/charges/{id}/refunds", filters=("charge",))
