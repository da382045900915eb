"""Customers and the Customer Portal: https://docs.stripe.com/api/customers"""

from django.conf import settings

from stripe_emulator import clock, store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import customers
from stripe_emulator.behaviour.subscriptions import cancel_all
from stripe_emulator.errors import Json, StripeRefusal, missing_param
from stripe_emulator.events.emit import emit
from stripe_emulator.objects.account import CUSTOMER_DEFAULTS, new_portal_session
from stripe_emulator.objects.parts import full_address, full_shipping

FIELDS = ("address", "balance", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")
OWN_DEFAULT = "default_payment_method"
PORTAL_FIELDS = ("locale", "return_url")
UNSUPPORTED = ("configuration", "customer_account", "flow_data", "on_behalf_of")


readable("customers", kind="customer", params="Customer", filters=("email",))


@route("POST", "customers", params="CustomerCreateParams")
def create_customer(call: Call) -> Json:
    metadata = merged_metadata({}, call.params.get("metadata"))
    customer = customers.create_customer(
        call.at,
        fields=_fields(call.params, settings=CUSTOMER_DEFAULTS["invoice_settings"]) | {"metadata": metadata},
        payment_method=call.params.get("payment_method", ""),
        default=_default(call.params),
    )
    return customer.data


@route("POST", "customers/{id}", params="CustomerUpdateParams")
def update_customer(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    metadata = merged_metadata(customer.data["metadata"], call.params.get("metadata"))
    customers.update_customer(
        customer,
        at=clock.now_for(customer),
        fields=_fields(call.params, settings=customer.data["invoice_settings"]) | {"metadata": metadata},
        default=_default(call.params),
    )
    return customer.data


@route("DELETE", "customers/{id}", params="CustomerDeleteParams")
def delete_customer(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", id, lock=True)
    at = clock.now_for(customer)
    cancel_all(customer, at=at)
    gone = store.delete(customer)
    emit("customer.deleted", customer, at=at)
    return gone


@route("POST", "billing_portal/sessions", params="billing_portal.SessionCreateParams")
def create_portal_session(call: Call) -> Json:
    for name in UNSUPPORTED:
        if call.params.get(name):
            raise StripeRefusal(f"The emulator's portal knows no {name}.", param=name)
    if not call.params.get("customer"):
        raise missing_param("customer")
    customer = store.get_living("customer", call.params["customer"], param="customer")
    fields = {name: call.params[name] for name in PORTAL_FIELDS if call.params.get(name)}
    at, base_url = clock.now_for(customer), settings.STRIPE_EMULATOR_URL
    session = new_portal_session(at, base_url=base_url, customer=customer.stripe_id, **fields)
    return store.keep(session, parent=customer).data


def _fields(params: Json, *, settings: Json) -> Json:
    """What the customer is told to be; an empty value unsets it."""
    fields = {
        name: CUSTOMER_DEFAULTS[name] if params[name] == "" else params[name] for name in FIELDS if name in params
    }
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
