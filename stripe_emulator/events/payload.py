"""An event as Stripe sends it, in the pinned shapes or in those of 2023-10-16: https://docs.stripe.com/upgrades"""

from collections.abc import Callable

from stripe_emulator.errors import Json
from stripe_emulator.models import DeliveryState, Event, StoredObject

OLD_VERSION = "2023-10-16"
Converter = Callable[[Json, Json], Json]
CONVERTERS: dict[str, Converter] = {}
# Fields of later versions that several objects have.
LATER_FIELDS = (
    "allowed_payment_method_types", "customer_account", "excluded_payment_method_types", "managed_payments",
    "payment_record", "presentment_details",
)  # fmt: skip
LATER_SESSION_FIELDS = (
    "adaptive_pricing", "branding_settings", "collected_information", "discounts", "integration_identifier",
    "name_collection", "optional_items", "origin_context", "permissions", "saved_payment_method_options",
    "wallet_options",
)  # fmt: skip
LATER_INVOICE_FIELDS = (
    "amount_overpaid", "amount_paid_off_stripe", "confirmation_secret", "parent", "payments", "status_details",
    "total_pretax_credit_amounts", "total_taxes",
)  # fmt: skip
LATER_ITEM_FIELDS = ("billed_until", "current_period_end", "current_period_start", "current_trial", "discounts")
LATER_LINE_FIELDS = (
    "parent", "pretax_credit_amounts", "pricing", "quantity_decimal", "subtotal", "taxes", *LATER_FIELDS,
)  # fmt: skip
UI_MODES = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


def render(event: Event, version: str) -> Json:
    """The event in the shapes of this API version; any but 2023-10-16 has those of the pinned one.

    `pending_webhooks` is what it is now; to show many events, prefetch their deliveries.
    """
    return {
        "id": event.stripe_id,
        "object": "event",
        "api_version": version,
        "created": event.created,
        "data": _data(event, version),
        "livemode": False,
        "pending_webhooks": _pending_webhooks(event),
        "request": {"id": event.request_id or None, "idempotency_key": event.idempotency_key or None},
        "type": event.type,
    }


def _pending_webhooks(event: Event) -> int:
    """How many endpoints still wait for the event."""
    deliveries = list(event.deliveries.all())
    waiting = {each.endpoint_id for each in deliveries if each.state == DeliveryState.PENDING}
    return len(waiting - {each.endpoint_id for each in deliveries if each.state == DeliveryState.DELIVERED})


def _data(event: Event, version: str) -> Json:
    """The object, and for updates what was different before."""
    if version != OLD_VERSION:
        previous = {} if event.previous is None else {"previous_attributes": event.previous}
        return {"object": event.object, **previous}
    now = as_of_2023(event.object, event.hidden)
    if event.previous is None:
        return {"object": now}
    # A field that has moved since then has moved in what was different as well: compare both states as they were.
    before = as_of_2023({**event.object, **event.previous}, event.hidden)
    different = {name: value for name, value in before.items() if name not in now or now[name] != value}
    return {"object": now, "previous_attributes": different}


def converts(kind: str) -> Callable[[Converter], Converter]:
    """Register the function for objects of this kind: `writer(object, hidden) -> object of 2023-10-16`."""

    def register(writer: Converter) -> Converter:
        CONVERTERS[kind] = writer
        return writer

    return register


def as_of_2023(shown: Json, hidden: Json) -> Json:
    """The object as version 2023-10-16 shows it; `hidden` is what the emulator knows beside."""
    writer = CONVERTERS.get(shown.get("object", ""))
    return without(writer(shown, hidden) if writer else shown, *LATER_FIELDS)


def without(shown: Json, *names: str) -> Json:
    """A copy that lacks these fields."""
    return {name: value for name, value in shown.items() if name not in names}


@converts("checkout.session")
def session(shown: Json, hidden: Json) -> Json:
    """The address of delivery stands at the top, and the kinds of page have their first names."""
    kept = without(shown, *LATER_SESSION_FIELDS)
    collected = shown.get("collected_information") or {}
    mode = shown.get("ui_mode")
    return {**kept, "shipping_details": collected.get("shipping_details"), "ui_mode": UI_MODES.get(mode or "", mode)}


@converts("payment_intent")
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


@converts("charge")
def charge(shown: Json, hidden: Json) -> Json:
    """Names its invoice."""
    return {**without(shown, "authorization_code"), "invoice": hidden.get("invoice")}


@converts("refund")
def refund(shown: Json, hidden: Json) -> Json:
    """Knows neither the method it goes back to nor why it is pending."""
    return without(shown, "payment_method", "pending_reason")


@converts("dispute")
def dispute(shown: Json, hidden: Json) -> Json:
    """Without what was added for the later rules of the card networks."""
    details = without(shown.get("evidence_details") or {}, "enhanced_eligibility", "submission_method")
    evidence = without(shown.get("evidence") or {}, "enhanced_evidence")
    kept = without(shown, "enhanced_eligibility_types", "intended_submission_method")
    return {**kept, "evidence": evidence, "evidence_details": details}


@converts("customer")
def customer(shown: Json, hidden: Json) -> Json:
    """Has one name."""
    return without(shown, "business_name", "individual_name")


@converts("payment_method")
def payment_method(shown: Json, hidden: Json) -> Json:
    """Does not say whether it may be shown again."""
    return without(shown, "allow_redisplay")


@converts("product")
def product(shown: Json, hidden: Json) -> Json:
    """`marketing_features` were called features."""
    return {**without(shown, "marketing_features"), "features": shown.get("marketing_features", [])}


@converts("subscription")
def subscription(shown: Json, hidden: Json) -> Json:
    """The whole of it has one period, not each item its own."""
    items = shown.get("items") or {}
    rows = items.get("data", [])
    kept = without(shown, "billing_mode", "billing_schedules", "status_details")
    return {
        **kept,
        "current_period_end": max((row["current_period_end"] for row in rows), default=None),
        "current_period_start": min((row["current_period_start"] for row in rows), default=None),
        "discount": None,
        "items": {**items, "data": [without(row, *LATER_ITEM_FIELDS) for row in rows]},
    }


@converts("invoice")
def invoice(shown: Json, hidden: Json) -> Json:
    """Names subscription, payment and charge at the top, and says whether it is paid."""
    parent = shown.get("parent") or {}
    about = parent.get("subscription_details") or {}
    lines = shown.get("lines") or {}
    return {
        **without(shown, *LATER_INVOICE_FIELDS),
        "application_fee_amount": None,
        "discount": None,
        "rendering_options": None,
        "transfer_data": None,
        "charge": hidden.get("charge"),
        "lines": {**lines, "data": [line(row, {}) for row in lines.get("data", [])]},
        "paid": shown.get("status") == "paid",
        "paid_out_of_band": bool(shown.get("amount_paid_off_stripe")),
        "payment_intent": hidden.get("payment_intent"),
        "quote": (parent.get("quote_details") or {}).get("quote"),
        "subscription": about.get("subscription"),
        "subscription_details": {"metadata": about.get("metadata")},
        "tax": None,
        "total_tax_amounts": [],
    }


@converts("line_item")
def line(shown: Json, hidden: Json) -> Json:
    """Carries its price and says itself what it is for."""
    parent = shown.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    price = price_of(shown.get("pricing"))
    return {
        **without(shown, *LATER_LINE_FIELDS),
        "amount_excluding_tax": shown.get("subtotal", shown.get("amount")),
        "invoice_item": details.get("invoice_item"),
        "plan": plan_of(price),
        "price": price,
        "proration": details.get("proration", False),
        "proration_details": details.get("proration_details") or {"credited_items": None},
        "subscription": details.get("subscription"),
        "subscription_item": details.get("subscription_item"),
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription" if parent.get("type") == "subscription_item_details" else "invoiceitem",
        "unit_amount_excluding_tax": (shown.get("pricing") or {}).get("unit_amount_decimal"),
    }


@converts("invoiceitem")
def invoice_item(shown: Json, hidden: Json) -> Json:
    """Carries its price, and names its subscription at the top."""
    about = (shown.get("parent") or {}).get("subscription_details") or {}
    pricing = shown.get("pricing") or {}
    price = price_of(pricing)
    kept = without(shown, "frozen_fields", "net_amount", "parent", "pricing", "proration_details", "quantity_decimal")
    return {
        **kept,
        "plan": plan_of(price),
        "price": price,
        "subscription": about.get("subscription"),
        "subscription_item": about.get("subscription_item"),
        "unit_amount": price.get("unit_amount") if price else None,
        "unit_amount_decimal": pricing.get("unit_amount_decimal"),
    }


def price_of(pricing: Json | None) -> Json | None:
    """The price that `pricing.price_details` names, complete; None where there is none."""
    named = ((pricing or {}).get("price_details") or {}).get("price")
    found = StoredObject.objects.filter(kind="price", stripe_id=named).first() if named else None
    return found.data if found else None


def plan_of(price: Json | None) -> Json | None:
    """A price in the shape of its predecessor, the plan; None where nothing recurs."""
    if price is None or not price.get("recurring"):
        return None
    recurring = price["recurring"]
    same = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname", "product")
    return {
        **{name: price.get(name) for name in (*same, "tiers_mode")},
        "object": "plan",
        "aggregate_usage": None,
        "amount": price.get("unit_amount"),
        "amount_decimal": price.get("unit_amount_decimal"),
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count"),
        "transform_usage": None,
        "trial_period_days": recurring.get("trial_period_days"),
        "usage_type": recurring.get("usage_type", "licensed"),
    }
