"""Sessions, payments and what follows a payment: https://docs.stripe.com/upgrades"""

from stripe_emulator.events.shapes_2023.registry import without, writes
from stripe_emulator.models import Json

UI_MODES = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


@writes("checkout.session")
def session(shown: Json, hidden: Json) -> Json:
    """The address of delivery stands at the top, and the kinds of page have their first names."""
    kept = without(
        shown,
        "adaptive_pricing",
        "branding_settings",
        "collected_information",
        "discounts",
        "integration_identifier",
        "name_collection",
        "optional_items",
        "origin_context",
        "permissions",
        "saved_payment_method_options",
        "wallet_options",
    )
    collected = shown.get("collected_information") or {}
    mode = shown.get("ui_mode")
    return {**kept, "shipping_details": collected.get("shipping_details"), "ui_mode": UI_MODES.get(mode or "", mode)}


@writes("payment_intent")
def payment_intent(shown: Json, hidden: Json) -> Json:
    """Names its invoice, and captures at once: https://docs.stripe.com/changelog/2024-04-10"""
    kept = without(shown, "hooks", "payment_details")
    capture = shown.get("capture_method")
    return {
        **kept,
        "amount_details": {"tip": {}},
        "capture_method": "automatic" if capture == "automatic_async" else capture,
        "invoice": hidden.get("invoice"),
    }


@writes("charge")
def charge(shown: Json, hidden: Json) -> Json:
    """Names its invoice."""
    return {**without(shown, "authorization_code"), "invoice": hidden.get("invoice")}


@writes("refund")
def refund(shown: Json, hidden: Json) -> Json:
    """Knows neither the method it goes back to nor why it is pending."""
    return without(shown, "payment_method", "pending_reason")


@writes("dispute")
def dispute(shown: Json, hidden: Json) -> Json:
    """Without what was added for the later rules of the card networks."""
    details = without(shown.get("evidence_details") or {}, "enhanced_eligibility", "submission_method")
    evidence = without(shown.get("evidence") or {}, "enhanced_evidence")
    kept = without(shown, "enhanced_eligibility_types", "intended_submission_method")
    return {**kept, "evidence": evidence, "evidence_details": details}


@writes("customer")
def customer(shown: Json, hidden: Json) -> Json:
    """Has one name."""
    return without(shown, "business_name", "individual_name")


@writes("payment_method")
def payment_method(shown: Json, hidden: Json) -> Json:
    """Does not say whether it may be shown again."""
    return without(shown, "allow_redisplay")


@writes("product")
def product(shown: Json, hidden: Json) -> Json:
    """`marketing_features` were called features."""
    return {**without(shown, "marketing_features"), "features": shown.get("marketing_features", [])}
