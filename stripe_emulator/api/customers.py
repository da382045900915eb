"""Customers and the Customer Portal: https://docs.stripe.com/api/customers"""

from django.conf import settings

from stripe_emulator import clock, store
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import customers
from stripe_emulator.behaviour.subscriptions import cancel_all
from stripe_emulator.errors import Json, refuse_unsupported, require_param
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.account import CUSTOMER_DEFAULTS, PORTAL_CONFIGURATION, new_portal_session
from stripe_emulator.objects.parts import full_address, full_shipping

FIELDS = ("address", "balance", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")
PORTAL_FIELDS = ("locale", "return_url")
UNSUPPORTED = ("configuration", "customer_account", "flow_data", "on_behalf_of")


readable("customers", kind="customer", params="Customer", filters=("email",))


@route("POST", "customers", params="CustomerCreateParams")
def create_customer(call: Call) -> StoredObject:
    fields = _fields(call, settings=CUSTOMER_DEFAULTS["invoice_settings"]) | {"metadata": call.metadata()}
    brought = call.params.get("payment_method", "")
    return customers.create_customer(call.at, fields=fields, payment_method=brought, default=_default(call))


@route("POST", "customers/{id}", params="CustomerUpdateParams")
def update_customer(call: Call, *, id: str) -> StoredObject:
    customer = store.get_living("customer", id, lock=True)
    fields = _fields(call, settings=customer.data["invoice_settings"]) | {"metadata": call.metadata(customer)}
    customers.update_customer(customer, at=clock.now_for(customer), fields=fields, default=_default(call))
    return customer


@route("DELETE", "customers/{id}", params="CustomerDeleteParams")
def delete_customer(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    at = clock.now_for(customer)
    cancel_all(customer, at=at)
    gone = store.delete(customer)
    emit("customer.deleted", customer, at=at)
    return gone


@route("GET", "billing_portal/configurations", params="billing_portal.ConfigurationListParams")
def list_portal_configurations(call: Call) -> Json:
    return {
        "object": "list",
        "data": [PORTAL_CONFIGURATION],
        "has_more": False,
        "url": "/v1/billing_portal/configurations",
    }


@route("POST", "billing_portal/sessions", params="billing_portal.SessionCreateParams")
def create_portal_session(call: Call) -> StoredObject:
    refuse_unsupported(call.params, UNSUPPORTED, of="its portal")
    customer = store.get_living("customer", require_param(call.params, "customer"), param="customer")
    fields = {name: value for name, value in call.only(PORTAL_FIELDS).items() if value}
    at, base_url = clock.now_for(customer), settings.STRIPE_EMULATOR_URL
    return store.keep(new_portal_session(at, base_url=base_url, customer=customer.stripe_id, **fields), parent=customer)


def _fields(call: Call, *, settings: Json) -> Json:
    """What the customer is told to be; an empty value unsets it."""
    fields = {name: CUSTOMER_DEFAULTS[name] if value == "" else value for name, value in call.only(FIELDS).items()}
    if "address" in fields:
        fields["address"] = full_address(fields["address"])
    if "shipping" in fields:
        fields["shipping"] = full_shipping(fields["shipping"])
    if "invoice_settings" in call.params:
        given = {name: value or None for name, value in call.params["invoice_settings"].items() if name in settings}
        fields["invoice_settings"] = settings | given
    return fields


def _default(call: Call) -> str:
    return call.params.get("invoice_settings", {}).get("default_payment_method", "")
