"""PaymentIntents, SetupIntents and payment methods: https://docs.stripe.com/api/payment_intents"""

from typing import Any

from stripe_emulator import clock, store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, list_objects, readable, route
from stripe_emulator.behaviour import payment_intents, payment_methods, setup_intents
from stripe_emulator.behaviour.amounts import check_amount
from stripe_emulator.behaviour.payment_methods import create_from_params
from stripe_emulator.errors import Json, StripeRefusal, missing_param
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import full_shipping

INTENT_FIELDS = (
    "allowed_payment_method_types", "application_fee_amount", "confirmation_method", "description",
    "excluded_payment_method_types", "receipt_email", "setup_future_usage", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip
CHANGED_BY_CONFIRMING = ("receipt_email", "setup_future_usage", "shipping")
ENABLED: Json = {"allow_redirects": "always", "enabled": True}
SETUP_FIELDS = (
    "description", "usage", "flow_directions", "allowed_payment_method_types", "excluded_payment_method_types",
)  # fmt: skip


readable("payment_intents", kind="payment_intent", params="PaymentIntent", filters=("customer",), param="intent")
readable("setup_intents", kind="setup_intent", params="SetupIntent", filters=("customer",), param="intent")


@route("POST", "payment_intents", params="PaymentIntentCreateParams")
def create_intent(call: Call) -> Json:
    amount, currency = _amount(call.params)
    if call.params.get("capture_method") == "manual":
        raise StripeRefusal("The emulator captures every payment at once.", param="capture_method")
    method = _named_method(call.params, at=call.at)
    fields = _intent_fields(call.params) | _intent_methods(call)
    if method:
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    fields["metadata"] = merged_metadata({}, call.params.get("metadata"))
    intent = payment_intents.create_intent(
        call.at, amount=amount, currency=currency, hidden={"return_url": call.params.get("return_url")}, **fields
    )
    if _is_true(call.params.get("confirm")):
        _confirm_intent(intent, method, call.params)
    return intent.data


@route("POST", "payment_intents/{id}/confirm", params="PaymentIntentConfirmParams")
def confirm_intent(call: Call, *, id: str) -> Json:
    intent = store.get("payment_intent", id, param="intent", lock=True)
    method = _named_method(call.params, at=clock.now_for(intent), parent=intent)
    if method is None and intent.data["payment_method"]:
        method = store.get("payment_method", intent.data["payment_method"], param="payment_method")
    if "return_url" in call.params:
        intent.remember(return_url=call.params["return_url"])
    if changes := {name: call.params[name] for name in CHANGED_BY_CONFIRMING if name in call.params}:
        intent.change(**_intent_fields(changes))
    _confirm_intent(intent, method, call.params)
    return intent.data


@route("POST", "payment_intents/{id}/cancel", params="PaymentIntentCancelParams")
def cancel_intent(call: Call, *, id: str) -> Json:
    intent = store.get("payment_intent", id, param="intent", lock=True)
    if intent.hidden.get("session"):
        message = "This PaymentIntent belongs to a Checkout Session: expire the session instead of canceling it."
        raise StripeRefusal(message, code="payment_intent_unexpected_state", param="intent")
    payment_intents.cancel(intent, at=clock.now_for(intent), reason=call.params.get("cancellation_reason"))
    return intent.data


@route("POST", "setup_intents", params="SetupIntentCreateParams")
def create_setup(call: Call) -> Json:
    method = _named_method(call.params, at=call.at)
    fields = _setup_fields(call.params) | _setup_methods(call.params)
    fields["metadata"] = merged_metadata({}, call.params.get("metadata"))
    if method:
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    setup = setup_intents.create_setup(call.at, hidden={"return_url": call.params.get("return_url")}, **fields)
    if call.params.get("confirm") in (True, "true"):
        _confirm_setup(setup, method)
    return setup.data


@route("POST", "payment_methods", params="PaymentMethodCreateParams")
def create_method(call: Call) -> Json:
    metadata = merged_metadata({}, call.params.get("metadata"))
    return create_from_params({**call.params, "metadata": metadata}, at=call.at).data


@route("GET", "payment_methods", params="PaymentMethodListParams")
def list_methods(call: Call) -> Json:
    filters = ("customer", "type", "allow_redisplay")
    return list_objects("payment_method", call.params, url="/v1/payment_methods", filters=filters)


@route("GET", "payment_methods/{id}", params="PaymentMethodRetrieveParams")
def retrieve_method(call: Call, *, id: str) -> Json:
    return payment_methods.get_or_create(id, at=call.at).data


@route("POST", "payment_methods/{id}/attach", params="PaymentMethodAttachParams")
def attach_method(call: Call, *, id: str) -> Json:
    customer = store.get_living("customer", call.params.get("customer", ""), param="customer")
    method = payment_methods.get_or_create(id, at=call.at)
    payment_methods.attach(method, customer, clock.now_for(method))
    return method.data


def _named_method(params: Json, *, at: int, parent: StoredObject | None = None) -> StoredObject | None:
    """The method that the parameters name, by its id or by an alias."""
    if params.get("payment_method_data"):
        raise StripeRefusal("The emulator wants a payment_method.", param="payment_method_data")
    named = params.get("payment_method")
    return payment_methods.get_or_create(named, at=at, parent=parent) if named else None


def _confirm_intent(intent: StoredObject, method: StoredObject | None, params: Json) -> None:
    if method is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. Either update the "
            "PaymentIntent with a payment method, or confirm it again with one."
        )
        raise StripeRefusal(message, code="payment_intent_unexpected_state")
    off_session = params.get("off_session") not in (None, False, "false")
    payment_intents.confirm(intent, method, at=clock.now_for(intent), off_session=off_session)


def _amount(params: Json) -> tuple[int, str]:
    """Both must be there, whatever the version. Raises StripeRefusal."""
    for name in ("amount", "currency"):
        if name not in params:
            raise missing_param(name)
    return params["amount"], check_amount(params["amount"], params["currency"])


def _intent_fields(params: Json) -> Json:
    """What the intent is told to be; an empty value unsets it. Raises NoSuchObject for an unknown customer."""
    fields: Json = {name: params[name] or None for name in INTENT_FIELDS if name in params}
    if "shipping" in params:
        fields["shipping"] = full_shipping(params["shipping"])
    if params.get("customer"):
        fields["customer"] = store.get_living("customer", params["customer"], param="customer").stripe_id
    return fields


def _intent_methods(call: Call) -> Json:
    """Types may still be listed under older versions; otherwise the account's settings decide.

    https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions
    """
    if types := call.params.get("payment_method_types"):
        return {"payment_method_types": list(types.values()) if isinstance(types, dict) else [types]}
    automatic = call.params.get("automatic_payment_methods")
    return {"automatic_payment_methods": ENABLED | automatic if automatic else ENABLED}


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


def _confirm_setup(setup: StoredObject, method: StoredObject | None) -> None:
    if method is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise StripeRefusal(message, code="setup_intent_unexpected_state")
    setup_intents.confirm_setup(setup, method, at=clock.now_for(setup))


def _setup_fields(params: Json) -> Json:
    """What the intent is told to be; an empty value unsets it. Raises NoSuchObject for an unknown customer."""
    fields: Json = {name: params[name] or None for name in SETUP_FIELDS if name in params}
    if params.get("customer"):
        fields["customer"] = store.get_living("customer", params["customer"], param="customer").stripe_id
    return fields


def _setup_methods(params: Json) -> Json:
    """Older versions list types; otherwise the account's settings decide."""
    if types := params.get("payment_method_types"):
        return {"payment_method_types": list(types.values()) if isinstance(types, dict) else [types]}
    return {"automatic_payment_methods": ENABLED | (params.get("automatic_payment_methods") or {})}
