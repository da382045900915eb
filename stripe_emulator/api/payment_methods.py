"""Ways to pay: https://docs.stripe.com/api/payment_methods"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.life import methods
from stripe_emulator.life.given import expiry_of, make_given
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.payment_method import billing_details


@answers("POST", "payment_methods", params="PaymentMethodCreateParams")
def create(call: Call) -> Json:
    metadata = merged({}, call.params.get("metadata"))
    return make_given({**call.params, "metadata": metadata}, at=call.at).data


@answers("GET", "payment_methods", params="PaymentMethodListParams")
def list_all(call: Call) -> Json:
    filters = ("customer", "type", "allow_redisplay")
    return list_objects("payment_method", call.params, url="/v1/payment_methods", filters=filters)


@answers("GET", "payment_methods/{id}", params="PaymentMethodRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return methods.usable(id, at=call.at).data


@answers("POST", "payment_methods/{id}", params="PaymentMethodUpdateParams")
def update(call: Call, *, id: str) -> Json:
    method = store.get("payment_method", id, lock=True)
    previous = method.change(**_changes(method, call.params))
    if previous:
        emit("payment_method.updated", method, at=clock.now_for(method), previous=previous)
    return method.data


@answers("POST", "payment_methods/{id}/attach", params="PaymentMethodAttachParams")
def attach(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", call.params.get("customer", ""), param="customer")
    method = methods.usable(id, at=call.at)
    methods.attach(method, customer, clock.now_for(method))
    return method.data


@answers("POST", "payment_methods/{id}/detach", params="PaymentMethodDetachParams")
def detach(call: Call, *, id: str) -> Json:
    method = store.get("payment_method", id, lock=True)
    methods.detach(method, clock.now_for(method))
    return method.data


def _changes(method: StoredObject, params: Json) -> Json:
    changes: Json = {"metadata": merged(method.data["metadata"], params.get("metadata"))}
    if "allow_redisplay" in params:
        changes["allow_redisplay"] = params["allow_redisplay"]
    if "billing_details" in params:
        told = params["billing_details"] or {}
        changes["billing_details"] = billing_details({**method.data["billing_details"], **told})
    if method.data["type"] == "card" and params.get("card"):
        changes["card"] = method.data["card"] | expiry_of(params["card"])
    return changes
