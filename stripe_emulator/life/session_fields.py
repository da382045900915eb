"""What a new session shows of the parameters that it was made with."""

from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.checkout_session import NO_INVOICE_DATA, UNKNOWN_CUSTOMER

AS_GIVEN = (
    "allow_promotion_codes",
    "allowed_payment_method_types",
    "billing_address_collection",
    "branding_settings",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_creation",
    "customer_email",
    "excluded_payment_method_types",
    "integration_identifier",
    "locale",
    "managed_payments",
    "metadata",
    "mode",
    "origin_context",
    "payment_method_collection",
    "permissions",
    "phone_number_collection",
    "shipping_address_collection",
    "submit_type",
    "success_url",
    "wallet_options",
)
INNER: dict[str, Json] = {
    "adaptive_pricing": {"enabled": False},
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "consent_collection": {"payment_method_reuse_agreement": None, "promotions": None, "terms_of_service": None},
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "invoice_creation": {"enabled": False, "invoice_data": NO_INVOICE_DATA},
    "name_collection": {"business": None, "individual": None},
    "saved_payment_method_options": {
        "allow_redisplay_filters": None,
        "payment_method_remove": None,
        "payment_method_save": None,
    },
    "tax_id_collection": {"required": "never"},
}
TAXED: Json = {
    "liability": {"account": None, "type": "self"},
    "provider": "stripe",
    "status": "requires_location_inputs",
}


def shown_fields(params: Json, *, customer: StoredObject | None, lines: list[Json], currency: str) -> Json:
    """The session's fields; `customer` is the one that the parameters name."""
    fields = {name: params[name] for name in AS_GIVEN if name in params}
    fields |= {name: {**usual, **params[name]} for name, usual in INNER.items() if params.get(name)}
    return fields | {
        "currency": currency,
        "customer_details": _customer_details(params, customer),
        **_of_mode(params["mode"], fields),
        **_amounts(params, lines),
        **_nested(params, fields),
    }


def trial_of(params: Json) -> bool:
    """Whether the first payment comes later."""
    data = params.get("subscription_data") or {}
    return bool(data.get("trial_end") or data.get("trial_period_days"))


def _of_mode(mode: str, fields: Json) -> Json:
    """What differs between modes where nothing was given."""
    if mode == "payment":
        usual = {"customer_creation": None if fields.get("customer") else "if_required"}
        usual["invoice_creation"] = INNER["invoice_creation"]  # type: ignore[assignment]
    else:
        usual = {"payment_method_collection": "always"}
    return {name: fields.get(name) or value for name, value in usual.items()}


def _amounts(params: Json, lines: list[Json]) -> Json:
    """What is due today: during a trial, only what is bought once."""
    if not lines:
        return {
            "amount_subtotal": None,
            "amount_total": None,
            "total_details": None,
            "payment_status": "no_payment_required",
        }
    is_later = trial_of(params)
    total = sum(line["amount_total"] for line in lines if not (is_later and line["price"]["recurring"]))
    status = "no_payment_required" if total == 0 and params["mode"] == "payment" else "unpaid"
    return {"amount_subtotal": total, "amount_total": total, "payment_status": status}


def _customer_details(params: Json, customer: StoredObject | None) -> Json | None:
    """What is known of the buyer before the page was filled in."""
    email = customer.data["email"] if customer else params.get("customer_email")
    return {**UNKNOWN_CUSTOMER, "email": email, "tax_ids": None} if email else None


def _nested(params: Json, fields: Json) -> Json:
    """Fields that are shown otherwise than they were given."""
    shown: Json = {}
    if fields.get("automatic_tax", {}).get("enabled"):
        shown["automatic_tax"] = {**TAXED, "enabled": True}
    if invoice := params.get("invoice_creation"):
        data = {**NO_INVOICE_DATA, **invoice.get("invoice_data", {})}
        shown["invoice_creation"] = {"enabled": invoice["enabled"], "invoice_data": data}
    if recovery := (params.get("after_expiration") or {}).get("recovery"):
        usual = {"allow_promotion_codes": False, "expires_at": None, "url": None}
        shown["after_expiration"] = {"recovery": {**usual, **recovery}}
    if custom := params.get("custom_fields"):
        shown["custom_fields"] = [_custom_field(field) for field in custom]
    return shown


def _custom_field(given: Json) -> Json:
    """Shown without a value: the page does not ask for it."""
    if not given.get("optional"):
        raise StripeRefusal("The emulator's page has no custom fields: let them be optional.", param="custom_fields")
    kinds: Json = {"dropdown": None, "numeric": None, "text": None}
    usual = {"default_value": None, "value": None}
    bounds = {"maximum_length": None, "minimum_length": None} if given["type"] != "dropdown" else {}
    return {**kinds, **given, given["type"]: {**usual, **bounds, **given.get(given["type"], {})}}
