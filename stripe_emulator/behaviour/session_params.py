"""What a new Checkout session may be given, and what it shows of it: https://docs.stripe.com/api/checkout/sessions/create"""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from stripe_emulator import store
from stripe_emulator.behaviour.amounts import formatted_amount, greatest_charge, known_currency, least_charge
from stripe_emulator.behaviour.catalogue import create_price
from stripe_emulator.errors import Json, StripeRefusal, missing_param, refuse_unsupported, require_one, require_param
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.checkout import NO_INVOICE_CREATION, UNKNOWN_CUSTOMER, new_line_item
from stripe_emulator.objects.parts import nulls

SHORTEST_LIFETIME, LONGEST_LIFETIME = 30 * 60, 24 * 3600
SHORTEST_TRIAL = 48 * 3600
LONGEST_REFERENCE, LONGEST_URL = 200, 5000
MODES = ("payment", "setup", "subscription")
MODES_OF = {
    "payment_intent_data": ("payment",),
    "customer_creation": ("payment", "setup"),
    "subscription_data": ("subscription",),
    "payment_method_collection": ("subscription",),
    "setup_intent_data": ("setup",),
}
EXCLUSIVE = (
    ("customer", "customer_email"),
    ("customer", "customer_creation"),
    ("allowed_payment_method_types", "excluded_payment_method_types"),
)
UNSUPPORTED = (
    "after_expiration", "allow_promotion_codes", "branding_settings", "consent_collection", "custom_fields",
    "custom_text", "customer_account", "discounts", "integration_identifier", "invoice_creation", "managed_payments",
    "name_collection", "optional_items", "origin_context", "permissions", "phone_number_collection", "return_url",
    "saved_payment_method_options", "shipping_address_collection", "shipping_options", "submit_type",
    "tax_id_collection", "wallet_options",
)  # fmt: skip
MOST_LINES = {"payment": 100, "subscription": 40}
GREATEST_QUANTITY = 999_999
COPIED_FIELDS = (
    "adaptive_pricing", "allowed_payment_method_types", "billing_address_collection", "cancel_url",
    "client_reference_id", "customer", "customer_creation", "customer_email", "excluded_payment_method_types",
    "locale", "metadata", "mode", "payment_method_collection", "success_url",
)  # fmt: skip


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
    moment = int(params.get("expires_at", at + LONGEST_LIFETIME))
    if not at + SHORTEST_LIFETIME <= moment <= at + LONGEST_LIFETIME:
        bound = "at least 30 minutes" if moment < at + SHORTEST_LIFETIME else "less than 24 hours"
        message = f"The `expires_at` timestamp must be {bound} from Checkout Session creation."
        raise StripeRefusal(message, param="expires_at")
    return moment


def method_types(params: Json, *, currency: str) -> list[str]:
    """How the buyer may pay: by card, in euros also by direct debit, within what the call allows."""
    usual = ("card", "sepa_debit") if currency == "eur" else ("card",)
    listed = params.get("payment_method_types")  # the SDK does not know it: lists come with "0", "1", … as keys
    listed = list(listed.values()) if isinstance(listed, dict) else listed
    allowed = listed or params.get("allowed_payment_method_types") or usual
    excluded = params.get("excluded_payment_method_types") or []
    left = [kind for kind in usual if kind in allowed and kind not in excluded]
    if not left:
        raise StripeRefusal("No valid payment method types for this Checkout Session.", param="payment_method_types")
    return left


def line_items_from_params(params: Json, *, at: int) -> list[Json]:
    """The lines that the parameters ask for. Raises StripeRefusal where they make no sense together."""
    mode, rows = params["mode"], params.get("line_items") or []
    if mode == "setup":
        if rows:
            raise StripeRefusal("You can not pass `line_items` in `setup` mode.", param="line_items")
        return []
    if not rows:
        raise missing_param("line_items")
    if len(rows) > MOST_LINES[mode]:
        raise StripeRefusal(f"There can be at most {MOST_LINES[mode]} line items.", param="line_items")
    lines = [_line_item(row, f"line_items[{number}]", mode, at) for number, row in enumerate(rows)]
    _check_intervals(mode, [line["price"]["recurring"] for line in lines])
    _check_currencies(params, {line["currency"] for line in lines})
    return lines


def check_total(total: int, currency: str) -> None:
    """Nothing at all is fine, next to nothing is not: https://docs.stripe.com/payments/checkout/no-cost-orders"""
    due = "The Checkout Session's total amount due must"
    if 0 < total < (least := least_charge(currency)):
        message = f"{due} add up to at least {formatted_amount(least, currency)}"
        raise StripeRefusal(message, code="amount_too_small", param="line_items")
    if total > (greatest := greatest_charge(currency)):
        message = f"{due} be no more than {formatted_amount(greatest, currency)}"
        raise StripeRefusal(message, code="amount_too_large", param="line_items")


def session_fields(params: Json, *, customer: StoredObject | None, lines: list[Json], currency: str) -> Json:
    """The session's fields; `customer` is the one that the parameters name."""
    fields = {name: params[name] for name in COPIED_FIELDS if name in params}
    return fields | {
        "currency": currency,
        "customer_details": _customer_details(params, customer),
        **_mode_defaults(params["mode"], fields),
        **_amounts(params, lines),
    }


def _check_mode(params: Json) -> None:
    mode = require_param(params, "mode")
    if mode not in MODES:
        raise StripeRefusal(f"Invalid mode: must be one of {', '.join(MODES)}", param="mode")
    for name, modes in MODES_OF.items():
        if params.get(name) and mode not in modes:
            words = " or ".join(f"`{each}`" for each in modes)
            raise StripeRefusal(f"You can only specify `{name}` in {words} mode.", param=name)
    if mode == "setup" and not params.get("payment_method_types"):
        known_currency(require_param(params, "currency"))


def _check_companions(params: Json) -> None:
    for one, other in EXCLUSIVE:
        if params.get(one) and params.get(other):
            message = f"You may only specify one of these parameters: {one}, {other}."
            raise StripeRefusal(message, param=other)
    refuse_unsupported(params, UNSUPPORTED, of="sessions")
    refuse_unsupported(params.get("automatic_tax") or {}, ("enabled",), of="taxes", inside="automatic_tax")
    if params.get("ui_mode", "hosted_page") not in ("hosted_page", "hosted"):
        raise StripeRefusal("The emulator has no page but the hosted one.", param="ui_mode")


def _check_urls(params: Json) -> None:
    require_param(params, "success_url")
    given = {name: params[name] for name in ("success_url", "cancel_url") if params.get(name)}
    for name, url in given.items():
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
            message = f"Invalid email address: {email[:100]}"
            raise StripeRefusal(message, code="email_invalid", param="customer_email") from None


def _check_trial(data: Json, at: int) -> None:
    """https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-subscription_data-trial_end"""
    end, days = "subscription_data[trial_end]", "subscription_data[trial_period_days]"
    if data.get("trial_end") and data.get("trial_period_days"):
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise StripeRefusal(message, param=end)
    if data.get("trial_end", at + SHORTEST_TRIAL) < at + SHORTEST_TRIAL:
        raise StripeRefusal("The `trial_end` date has to be at least 2 days in the future.", param=end)
    if data.get("trial_period_days", 1) < 1:
        raise StripeRefusal("A trial has at least one day.", code="parameter_invalid_integer", param=days)


def _line_item(row: Json, path: str, mode: str, at: int) -> Json:
    if row.get("tax_rates"):
        raise StripeRefusal(f"No such tax rate: '{row['tax_rates'][0]}'", code="resource_missing", param=path)
    quantity = row.get("quantity")
    if quantity is None:
        raise missing_param(f"{path}[quantity]")
    if not 1 <= quantity <= GREATEST_QUANTITY:
        message = f"This value must be between 1 and {GREATEST_QUANTITY}."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=f"{path}[quantity]")
    price = _price_of(row, path, mode, at)
    name, metadata = store.get("product", price.data["product"]).data["name"], row.get("metadata") or {}
    return new_line_item(price=price.data, quantity=quantity, description=name, metadata=metadata)


def _price_of(row: Json, path: str, mode: str, at: int) -> StoredObject:
    """The price that is named, or one made for this session; of the latter only subscriptions go on using theirs."""
    require_one(row, "price", "price_data", inside=path)
    if row.get("price_data"):
        price_data = {**row["price_data"], "active": mode == "subscription"}
        return create_price(price_data, at=at, path=f"{path}[price_data]")
    price = store.get_living("price", row["price"], param=f"{path}[price]")
    if not price.data["active"]:
        message = "The price specified is inactive. This field only accepts active prices."
        raise StripeRefusal(message, code="price_inactive", param=f"{path}[price]")
    return price


def _check_intervals(mode: str, intervals: list[Json | None]) -> None:
    recurring = [each for each in intervals if each]
    if mode == "payment" and recurring:
        message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
        raise StripeRefusal(message + "use only one-time prices.", param="line_items")
    if mode == "subscription" and not recurring:
        message = "You must provide at least one recurring price in `subscription` mode when using prices."
        raise StripeRefusal(message, param="line_items")
    if len({(each["interval"], each["interval_count"]) for each in recurring}) > 1:
        raise StripeRefusal("All recurring prices of a session must have the same interval.", param="line_items")


def _check_currencies(params: Json, currencies: set[str]) -> None:
    if params.get("currency"):
        currencies = currencies | {known_currency(params["currency"])}
    if len(currencies) > 1:
        raise StripeRefusal("All prices of a session must be in the same currency.", param="line_items")


def _mode_defaults(mode: str, fields: Json) -> Json:
    """What differs between modes where nothing was given."""
    if mode != "payment":
        return {"payment_method_collection": fields.get("payment_method_collection") or "always"}
    usual = None if fields.get("customer") else "if_required"
    return {"customer_creation": fields.get("customer_creation") or usual, "invoice_creation": NO_INVOICE_CREATION}


def _amounts(params: Json, lines: list[Json]) -> Json:
    """What is due today: during a trial, only what is bought once."""
    if not lines:
        return {**nulls("amount_subtotal amount_total total_details"), "payment_status": "no_payment_required"}
    data = params.get("subscription_data") or {}
    is_later = bool(data.get("trial_end") or data.get("trial_period_days"))
    total = sum(line["amount_total"] for line in lines if not (is_later and line["price"]["recurring"]))
    status = "no_payment_required" if total == 0 and params["mode"] == "payment" else "unpaid"
    return {"amount_subtotal": total, "amount_total": total, "payment_status": status}


def _customer_details(params: Json, customer: StoredObject | None) -> Json | None:
    """What is known of the buyer before the page was filled in."""
    email = customer.data["email"] if customer else params.get("customer_email")
    return {**UNKNOWN_CUSTOMER, "email": email, "tax_ids": None} if email else None
