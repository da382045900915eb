"""Customers: https://docs.stripe.com/api/customers"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.shapes.customer import new_customer

FIELDS = ("address", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")


@answers("POST", "customers", params="CustomerCreateParams")
def create(call: Call) -> Json:
    fields = {name: call.params[name] for name in FIELDS if name in call.params}
    customer = store.keep(new_customer(call.at, **fields, metadata=merged({}, call.params.get("metadata"))))
    emit("customer.created", customer, at=call.at)
    return customer.data


@answers("GET", "customers", params="CustomerListParams")
def list_all(call: Call) -> Json:
    return list_objects("customer", call.params, url="/v1/customers", filters=("email",))


@answers("GET", "customers/{id}", params="CustomerRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    customer = store.get("customer", id)
    return store.stub(customer) if customer.is_deleted else customer.data


@answers("POST", "customers/{id}", params="CustomerUpdateParams")
def update(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    fields = {name: call.params[name] or None for name in FIELDS if name in call.params}
    metadata = merged(customer.data["metadata"], call.params.get("metadata"))
    previous = customer.change(**fields, metadata=metadata)
    if previous:
        emit("customer.updated", customer, at=clock.now_for(customer), previous=previous)
    return customer.data


@answers("DELETE", "customers/{id}", params="CustomerDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    gone = store.delete(customer)
    emit("customer.deleted", customer, at=clock.now_for(customer))
    return gone
