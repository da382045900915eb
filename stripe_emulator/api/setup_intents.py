"""Intents to keep a way to pay: https://docs.stripe.com/api/setup_intents"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import setups
from stripe_emulator.life.given import given_method
from stripe_emulator.models import StoredObject

FIELDS = ("description", "usage", "flow_directions", "allowed_payment_method_types", "excluded_payment_method_types")
ENABLED: Json = {"allow_redirects": "always", "enabled": True}


@answers("POST", "setup_intents", params="SetupIntentCreateParams")
def create(call: Call) -> Json:
    method = given_method(call.params, at=call.at)
    fields = _fields(call.params) | _methods_allowed(call.params)
    fields["metadata"] = merged({}, call.params.get("metadata"))
    if method:
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    setup = setups.make_setup(call.at, hidden={"return_url": call.params.get("return_url")}, **fields)
    if call.params.get("confirm") in (True, "true"):
        _confirm(setup, method)
    return setup.data


@answers("GET", "setup_intents", params="SetupIntentListParams")
def list_all(call: Call) -> Json:
    return list_objects("setup_intent", call.params, url="/v1/setup_intents", filters=("customer", "payment_method"))


@answers("GET", "setup_intents/{id}", params="SetupIntentRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("setup_intent", id, param="intent").data


@answers("POST", "setup_intents/{id}", params="SetupIntentUpdateParams")
def update(call: Call, *, id: str) -> Json:
    setup = store.get("setup_intent", id, param="intent", lock=True)
    fields = _fields(call.params)
    if method := given_method(call.params, at=clock.now_for(setup), parent=setup):
        setups.must_be_open(setup, "updated")
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    setup.change(**fields, metadata=merged(setup.data["metadata"], call.params.get("metadata")))
    return setup.data


@answers("POST", "setup_intents/{id}/confirm", params="SetupIntentConfirmParams")
def confirm(call: Call, *, id: str) -> Json:
    setup = store.get("setup_intent", id, param="intent", lock=True)
    method = given_method(call.params, at=clock.now_for(setup), parent=setup)
    if method is None and setup.data["payment_method"]:
        method = store.get("payment_method", setup.data["payment_method"], param="payment_method")
    if "return_url" in call.params:
        setup.remember(return_url=call.params["return_url"])
    _confirm(setup, method)
    return setup.data


@answers("POST", "setup_intents/{id}/cancel", params="SetupIntentCancelParams")
def cancel(call: Call, *, id: str) -> Json:
    setup = store.get("setup_intent", id, param="intent", lock=True)
    setups.cancel_setup(setup, at=clock.now_for(setup), reason=call.params.get("cancellation_reason"))
    return setup.data


def _confirm(setup: StoredObject, method: StoredObject | None) -> None:
    if method is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise StripeRefusal(message, code="setup_intent_unexpected_state")
    setups.confirm_setup(setup, method, at=clock.now_for(setup))


def _fields(params: Json) -> Json:
    """What the intent is told to be; an empty value unsets it. Raises NoSuchObject for an unknown customer."""
    fields: Json = {name: params[name] or None for name in FIELDS if name in params}
    if params.get("customer"):
        fields["customer"] = store.get_living("customer", params["customer"], param="customer").stripe_id
    return fields


def _methods_allowed(params: Json) -> Json:
    """Older versions list types; otherwise the account's settings decide."""
    if types := params.get("payment_method_types"):
        return {"payment_method_types": list(types.values()) if isinstance(types, dict) else [types]}
    return {"automatic_payment_methods": ENABLED | (params.get("automatic_payment_methods") or {})}
