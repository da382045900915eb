"""Intents to collect a payment: https://docs.stripe.com/api/payment_intents"""

from typing import Any

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import payments
from stripe_emulator.life.amounts import check_amount
from stripe_emulator.life.given import given_method
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.address import full_shipping

FIELDS = (
    "allowed_payment_method_types",
    "application_fee_amount",
    "capture_method",
    "confirmation_method",
    "description",
    "excluded_payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
ENABLED: Json = {"allow_redirects": "always", "enabled": True}


@answers("POST", "payment_intents", params="PaymentIntentCreateParams")
def create(call: Call) -> Json:
    amount, currency = _amount(call.params)
    method = given_method(call.params, at=call.at)
    fields = _fields(call.params) | _methods_allowed(call)
    if method:
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    fields["metadata"] = merged({}, call.params.get("metadata"))
    intent = payments.make_intent(
        call.at, amount=amount, currency=currency, hidden={"return_url": call.params.get("return_url")}, **fields
    )
    if _is_true(call.params.get("confirm")):
        _confirm(intent, method, call.params)
    return intent.data


@answers("GET", "payment_intents", params="PaymentIntentListParams")
def list_all(call: Call) -> Json:
    return list_objects("payment_intent", call.params, url="/v1/payment_intents", filters=("customer",))


@answers("GET", "payment_intents/{id}", params="PaymentIntentRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("payment_intent", id, param="intent").data


@answers("POST", "payment_intents/{id}", params="PaymentIntentUpdateParams")
def update(call: Call, *, id: str) -> Json:
    intent = store.get("payment_intent", id, param="intent", lock=True)
    payments.update_intent(intent, fields=_updates(intent, call))
    return intent.data


@answers("POST", "payment_intents/{id}/confirm", params="PaymentIntentConfirmParams")
def confirm(call: Call, *, id: str) -> Json:
    intent = store.get("payment_intent", id, param="intent", lock=True)
    method = given_method(call.params, at=clock.now_for(intent), parent=intent)
    if method is None and intent.data["payment_method"]:
        method = store.get("payment_method", intent.data["payment_method"], param="payment_method")
    if "return_url" in call.params:
        intent.remember(return_url=call.params["return_url"])
    told = {name: call.params[name] for name in ("receipt_email", "setup_future_usage") if name in call.params}
    if told or "shipping" in call.params:
        intent.change(**_fields({name: call.params[name] for name in (*told, "shipping") if name in call.params}))
    _confirm(intent, method, call.params)
    return intent.data


@answers("POST", "payment_intents/{id}/capture", params="PaymentIntentCaptureParams")
def capture(call: Call, *, id: str) -> Json:
    intent = store.get("payment_intent", id, param="intent", lock=True)
    intent.change(metadata=merged(intent.data["metadata"], call.params.get("metadata")))
    payments.capture(intent, at=clock.now_for(intent), amount=call.params.get("amount_to_capture"))
    return intent.data


@answers("POST", "payment_intents/{id}/cancel", params="PaymentIntentCancelParams")
def cancel(call: Call, *, id: str) -> Json:
    intent = store.get("payment_intent", id, param="intent", lock=True)
    if intent.hidden.get("session") and intent.data["status"] != "requires_capture":
        message = "This PaymentIntent belongs to a Checkout Session: expire the session instead of canceling it."
        raise StripeRefusal(message, code="payment_intent_unexpected_state", param="intent")
    payments.cancel(intent, at=clock.now_for(intent), reason=call.params.get("cancellation_reason"))
    return intent.data


def _confirm(intent: StoredObject, method: StoredObject | None, params: Json) -> None:
    if method is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. Either update the "
            "PaymentIntent with a payment method, or confirm it again with one."
        )
        raise StripeRefusal(message, code="payment_intent_unexpected_state")
    off_session = params.get("off_session") not in (None, False, "false") or _is_true(
        params.get("error_on_requires_action")
    )
    payments.confirm(intent, method, at=clock.now_for(intent), off_session=off_session)


def _amount(params: Json) -> tuple[int, str]:
    """Both must be there, whatever the version. Raises StripeRefusal."""
    for name in ("amount", "currency"):
        if name not in params:
            raise StripeRefusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return params["amount"], check_amount(params["amount"], params["currency"])


def _fields(params: Json) -> Json:
    """What the intent is told to be; an empty value unsets it. Raises NoSuchObject for an unknown customer."""
    fields: Json = {name: params[name] or None for name in FIELDS if name in params}
    if "shipping" in params:
        fields["shipping"] = full_shipping(params["shipping"])
    if params.get("customer"):
        fields["customer"] = store.get_living("customer", params["customer"], param="customer").stripe_id
    return fields


def _methods_allowed(call: Call) -> Json:
    """Types may still be listed under older versions; otherwise the account's settings decide.

    https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions
    """
    if types := call.params.get("payment_method_types"):
        return {"payment_method_types": list(types.values()) if isinstance(types, dict) else [types]}
    told = call.params.get("automatic_payment_methods")
    return {"automatic_payment_methods": ENABLED | told if told else ENABLED}


def _updates(intent: StoredObject, call: Call) -> Json:
    fields = _fields(call.params)
    if "amount" in call.params or "currency" in call.params:
        amount, currency = _amount(
            {"amount": intent.data["amount"], "currency": intent.data["currency"], **call.params}
        )
        fields |= {"amount": amount, "currency": currency}
    method = given_method(call.params, at=clock.now_for(intent), parent=intent)
    if method:
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    return fields | {"metadata": merged(intent.data["metadata"], call.params.get("metadata"))}


def _is_true(value: Any) -> bool:
    return value is True or value == "true"
