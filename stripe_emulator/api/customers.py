"""Customers: https://docs.stripe.com/api/customers"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.life.customers import add_source, change_customer, make_customer
from stripe_emulator.life.given import required
from stripe_emulator.life.subscriptions import cancel_all
from stripe_emulator.shapes.address import full_address, full_shipping
from stripe_emulator.shapes.customer import USUAL
from stripe_emulator.shapes.token import as_source

FIELDS = ("address", "balance", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")
OWN_DEFAULT = "default_payment_method"


@answers("POST", "customers", params="CustomerCreateParams")
def create(call: Call) -> Json:
    metadata = merged({}, call.params.get("metadata"))
    customer = make_customer(
        call.at,
        fields=_fields(call.params, settings=USUAL["invoice_settings"]) | {"metadata": metadata},
        payment_method=call.params.get("payment_method", ""),
        source=call.params.get("source", ""),
        default=_default(call.params),
    )
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
    metadata = merged(customer.data["metadata"], call.params.get("metadata"))
    change_customer(
        customer,
        at=clock.now_for(customer),
        fields=_fields(call.params, settings=customer.data["invoice_settings"]) | {"metadata": metadata},
        source=call.params.get("source") or call.params.get("default_source", ""),
        default=_default(call.params),
    )
    return customer.data


@answers("DELETE", "customers/{id}", params="CustomerDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    at = clock.now_for(customer)
    cancel_all(customer, at=at)
    gone = store.delete(customer)
    emit("customer.deleted", customer, at=at)
    return gone


@answers("GET", "customers/{id}/payment_methods", params="CustomerPaymentMethodListParams")
def list_methods(call: Call, *, id: str) -> Json:
    store.get_living("customer", id, param="customer")
    of_customer = {**call.params, "customer": id}
    url = f"/v1/customers/{id}/payment_methods"
    return list_objects("payment_method", of_customer, url=url, filters=("customer", "type"))


@answers("POST", "customers/{id}/sources", params="CustomerPaymentSourceCreateParams")
def create_source(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    method = add_source(customer, str(required(call.params, "source")), at=clock.now_for(customer))
    return as_source(method.data["card"]) | {"id": method.stripe_id, "customer": id}


def _fields(params: Json, *, settings: Json) -> Json:
    """What the customer is told to be; an empty value unsets it."""
    fields = {name: USUAL[name] if params[name] == "" else params[name] for name in FIELDS if name in params}
    if "address" in params:
        fields["address"] = full_address(params["address"])
    if "shipping" in params:
        fields["shipping"] = full_shipping(params["shipping"])
    if "invoice_settings" in params:
        given = {name: value or None for name, value in params["invoice_settings"].items() if name in settings}
        fields["invoice_settings"] = settings | given
    return fields


def _default(params: Json) -> str:
    return params.get("invoice_settings", {}).get(OWN_DEFAULT, "")
