"""PaymentIntents, SetupIntents and payment methods: https://docs.stripe.com/api/payment_intents"""

from stripe_emulator import clock, store
from stripe_emulator.api.routes import Call, list_objects, readable, route
from stripe_emulator.behaviour import payment_intents, payment_methods, setup_intents
from stripe_emulator.behaviour.amounts import check_amount
from stripe_emulator.errors import Json, StripeRefusal, missing_param
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import full_shipping

INTENT_FIELDS = (
    "allowed_payment_method_types", "application_fee_amount", "confirmation_method", "customer", "description",
    "excluded_payment_method_types", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip
CHANGED_BY_CONFIRMING = ("receipt_email", "setup_future_usage", "shipping")
SETUP_FIELDS = (
    "allowed_payment_method_types", "customer", "description", "excluded_payment_method_types", "flow_directions",
    "usage",
)  # fmt: skip
METHOD_FILTERS = ("customer", "type", "allow_redisplay")
ENABLED: Json = {"allow_redirects": "always", "enabled": True}


readable("payment_intents", kind="payment_intent", params="PaymentIntent", filters=("customer",), param="intent")
readable("setup_intents", kind="setup_intent", params="SetupIntent", filters=("customer",), param="intent")


@route("POST", "payment_intents", params="PaymentIntentCreateParams")
def create_intent(call: Call) -> StoredObject:
    for name in ("amount", "currency"):
        if name not in call.params:
            raise missing_param(name)
    amount = call.params["amount"]
    currency = check_amount(amount, call.params["currency"])
    if call.params.get("capture_method") == "manual":
        raise StripeRefusal("The emulator captures every payment at once.", param="capture_method")
    method = _named_method(call.params, at=call.at)
    hidden = {"return_url": call.params.get("return_url")}
    fields = _new_intent_fields(call, INTENT_FIELDS, method)
    intent = payment_intents.create_intent(call.at, amount=amount, currency=currency, hidden=hidden, **fields)
    if call.params.get("confirm"):
        _confirm_intent(intent, method, call.params)
    return intent


@route("POST", "payment_intents/{id}/confirm", params="PaymentIntentConfirmParams")
def confirm_intent(call: Call, *, id: str) -> StoredObject:
    intent, at = store.locked("payment_intent", id, param="intent")
    method = _named_method(call.params, at=at, parent=intent)
    if method is None and intent.data["payment_method"]:
        method = store.get("payment_method", intent.data["payment_method"], param="payment_method")
    if "return_url" in call.params:
        intent.remember(return_url=call.params["return_url"])
    intent.change(**_fields(call, CHANGED_BY_CONFIRMING))
    _confirm_intent(intent, method, call.params)
    return intent


@route("POST", "payment_intents/{id}/cancel", params="PaymentIntentCancelParams")
def cancel_intent(call: Call, *, id: str) -> StoredObject:
    intent, at = store.locked("payment_intent", id, param="intent")
    if intent.hidden.get("session"):
        message = "This PaymentIntent belongs to a Checkout Session: expire the session instead of canceling it."
        raise StripeRefusal(message, code="payment_intent_unexpected_state", param="intent")
    payment_intents.cancel(intent, at=at, reason=call.params.get("cancellation_reason"))
    return intent


@route("POST", "setup_intents", params="SetupIntentCreateParams")
def create_setup(call: Call) -> StoredObject:
    method = _named_method(call.params, at=call.at)
    hidden = {"return_url": call.params.get("return_url")}
    fields = _new_intent_fields(call, SETUP_FIELDS, method)
    setup = setup_intents.create_setup(call.at, hidden=hidden, **fields)
    if call.params.get("confirm"):
        setup_intents.confirm_setup(setup, _needed(method, setup), at=clock.now_for(setup))
    return setup


@route("POST", "payment_methods", params="PaymentMethodCreateParams")
def create_method(call: Call) -> StoredObject:
    return payment_methods.create_from_params({**call.params, "metadata": call.metadata()}, at=call.at)


@route("GET", "payment_methods", params="PaymentMethodListParams")
def list_methods(call: Call) -> Json:
    return list_objects("payment_method", call, "/v1/payment_methods", METHOD_FILTERS)


@route("GET", "payment_methods/{id}", params="PaymentMethodRetrieveParams")
def retrieve_method(call: Call, *, id: str) -> StoredObject:
    return payment_methods.get_or_create(id, at=call.at)


@route("POST", "payment_methods/{id}/attach", params="PaymentMethodAttachParams")
def attach_method(call: Call, *, id: str) -> StoredObject:
    customer = store.get_living("customer", call.params.get("customer", ""), param="customer")
    method = payment_methods.get_or_create(id, at=call.at)
    payment_methods.attach(method, customer, clock.now_for(method))
    return method


def _named_method(params: Json, *, at: int, parent: StoredObject | None = None) -> StoredObject | None:
    """The method that the parameters name, by its id or by an alias."""
    if params.get("payment_method_data"):
        raise StripeRefusal("The emulator wants a payment_method.", param="payment_method_data")
    named = params.get("payment_method")
    return payment_methods.get_or_create(named, at=at, parent=parent) if named else None


def _confirm_intent(intent: StoredObject, method: StoredObject | None, params: Json) -> None:
    off_session = bool(params.get("off_session"))
    payment_intents.confirm(intent, _needed(method, intent), at=clock.now_for(intent), off_session=off_session)


def _needed(method: StoredObject | None, intent: StoredObject) -> StoredObject:
    """The method. Raises StripeRefusal where there is none."""
    if method is None:
        message = f"You cannot confirm this {payment_intents.NAMES[intent.kind]} because it's missing a payment method."
        raise StripeRefusal(message, code=f"{intent.kind}_unexpected_state")
    return method


def _new_intent_fields(call: Call, names: tuple[str, ...], method: StoredObject | None) -> Json:
    """What a new intent of either kind is told to be; its method waits to be confirmed.

    Types may still be listed under older versions; otherwise the account's settings decide.
    https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions
    """
    fields = _fields(call, names) | {"metadata": call.metadata()}
    if types := call.params.get("payment_method_types"):
        fields["payment_method_types"] = list(types.values()) if isinstance(types, dict) else [types]
    else:
        fields["automatic_payment_methods"] = ENABLED | (call.params.get("automatic_payment_methods") or {})
    if method:
        fields |= {"payment_method": method.stripe_id, "status": "requires_confirmation"}
    return fields


def _fields(call: Call, names: tuple[str, ...]) -> Json:
    """These parameters; an empty value unsets. Raises NoSuchObject for an unknown customer."""
    fields: Json = {name: value or None for name, value in call.only(names).items()}
    if fields.get("shipping"):
        fields["shipping"] = full_shipping(fields["shipping"])
    if fields.get("customer"):
        store.get_living("customer", fields["customer"], param="customer")
    return fields
