"""What Stripe accepts when a session is made: https://docs.stripe.com/api/checkout/sessions/create"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life.catalogue import inside, missing
from stripe_emulator.life.currencies import known_currency

SHORTEST_LIFE, USUAL_LIFE = 30 * 60, 24 * 3600
SHORTEST_TRIAL = 48 * 3600
LONGEST_REFERENCE, LONGEST_URL = 200, 5000
MODES = ("payment", "setup", "subscription")
ONLY_IN = {
    "payment_intent_data": ("payment",),
    "invoice_creation": ("payment",),
    "customer_creation": ("payment", "setup"),
    "submit_type": ("payment", "subscription"),
    "subscription_data": ("subscription",),
    "payment_method_collection": ("subscription",),
    "setup_intent_data": ("setup",),
}
NOT_TOGETHER = (
    ("customer", "customer_email"),
    ("customer", "customer_creation"),
    ("allow_promotion_codes", "discounts"),
    ("allowed_payment_method_types", "excluded_payment_method_types"),
)
NOT_HERE = ("customer_account", "optional_items", "return_url", "shipping_options")
METHOD_TYPES = ("card", "sepa_debit")


def check_rules(params: Json, *, at: int, is_pinned: bool) -> None:
    """Raises StripeRefusal for what Stripe refuses, and for what the emulator does not play."""
    _check_mode(params)
    _check_companions(params)
    _check_urls(params)
    _check_buyer(params)
    _check_trial(params.get("subscription_data") or {}, at)
    if is_pinned and params.get("payment_method_types"):
        message = "`payment_method_types` is no longer supported: use `allowed_payment_method_types`."
        raise StripeRefusal(message, code="payment_method_types_no_longer_supported", param="payment_method_types")


def expires_at(params: Json, *, at: int) -> int:
    """When the session ends by itself, in Unix seconds. Raises StripeRefusal outside of Stripe's bounds."""
    moment = params.get("expires_at", at + USUAL_LIFE)
    if moment < at + SHORTEST_LIFE:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise StripeRefusal(message, param="expires_at")
    if moment > at + USUAL_LIFE:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise StripeRefusal(message, param="expires_at")
    return int(moment)


def method_types(params: Json, *, currency: str) -> list[str]:
    """How the buyer may pay: by card, in euros also by direct debit, within what the call allows."""
    usual = ["card", "sepa_debit"] if currency == "eur" else ["card"]
    allowed = _listed(params.get("payment_method_types")) or params.get("allowed_payment_method_types") or usual
    excluded = params.get("excluded_payment_method_types") or []
    left = [kind for kind in METHOD_TYPES if kind in allowed and kind not in excluded]
    if "sepa_debit" in left and currency != "eur":
        left.remove("sepa_debit")
    if not left:
        raise StripeRefusal("No valid payment method types for this Checkout Session.", param="payment_method_types")
    return left


def _listed(value: Any) -> list[str]:
    """Lists of parameters that the SDK does not know any more come as they were sent: "0", "1", … as keys."""
    return list(value.values()) if isinstance(value, dict) else value or []


def _check_mode(params: Json) -> None:
    mode = params.get("mode")
    if not mode:
        raise missing("mode")
    if mode not in MODES:
        raise StripeRefusal(f"Invalid mode: must be one of {', '.join(MODES)}", param="mode")
    for name, modes in ONLY_IN.items():
        if params.get(name) and mode not in modes:
            words = " or ".join(f"`{each}`" for each in modes)
            raise StripeRefusal(f"You can only specify `{name}` in {words} mode.", param=name)
    if mode == "setup" and not params.get("payment_method_types"):
        if not params.get("currency"):
            raise missing("currency")
        known_currency(params["currency"])


def _check_companions(params: Json) -> None:
    for one, other in NOT_TOGETHER:
        if params.get(one) and params.get(other):
            message = f"You may only specify one of these parameters: {one}, {other}."
            raise StripeRefusal(message, param=other)
    for name in NOT_HERE:
        if params.get(name):
            raise StripeRefusal(f"The emulator does not know {name}.", param=name)
    for discount in params.get("discounts") or []:
        ((kind, id),) = list(discount.items())[:1] or [("coupon", "")]
        raise StripeRefusal(f"No such {kind}: '{id}'", code="resource_missing", param=f"discounts[0][{kind}]")
    if params.get("ui_mode", "hosted_page") not in ("hosted_page", "hosted"):
        raise StripeRefusal("The emulator has no page but the hosted one.", param="ui_mode")


def _check_urls(params: Json) -> None:
    if not params.get("success_url"):
        raise missing("success_url")
    for name in ("success_url", "cancel_url"):
        if url := params.get(name):
            _check_url(name, url)


def _check_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    if len(url) > LONGEST_URL or parts.scheme not in ("http", "https") or not parts.netloc:
        raise StripeRefusal("Not a valid URL", code="url_invalid", param=name)


def _check_buyer(params: Json) -> None:
    if len(params.get("client_reference_id", "")) > LONGEST_REFERENCE:
        message = f"Invalid string: client_reference_id must be at most {LONGEST_REFERENCE} characters."
        raise StripeRefusal(message, param="client_reference_id")
    if email := params.get("customer_email"):
        try:
            validate_email(email)
        except ValidationError:
            raise StripeRefusal(
                f"Invalid email address: {email[:100]}", code="email_invalid", param="customer_email"
            ) from None


def _check_trial(data: Json, at: int) -> None:
    """https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-subscription_data-trial_end"""
    path = "subscription_data"
    if data.get("trial_end") and data.get("trial_period_days"):
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise StripeRefusal(message, param=inside(path, "trial_end"))
    if data.get("trial_end", at + SHORTEST_TRIAL) < at + SHORTEST_TRIAL:
        message = "The `trial_end` date has to be at least 2 days in the future."
        raise StripeRefusal(message, param=inside(path, "trial_end"))
    if data.get("trial_period_days", 1) < 1:
        raise StripeRefusal(
            "A trial has at least one day.", code="parameter_invalid_integer", param=inside(path, "trial_period_days")
        )
