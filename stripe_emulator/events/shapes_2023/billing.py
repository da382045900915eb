"""Subscriptions and invoices before https://docs.stripe.com/changelog/basil"""

from stripe_emulator.events.shapes_2023.prices import plan_of, price_of, tax_amounts
from stripe_emulator.events.shapes_2023.registry import LATER_FIELDS, without, writes
from stripe_emulator.models import Json

ITEM = "subscription_item_details"


@writes("subscription")
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
        "items": {**items, "data": [_item(row) for row in rows]},
    }


def _item(row: Json) -> Json:
    later = ("billed_until", "current_period_end", "current_period_start", "current_trial", "discounts")
    return without(row, *later)


@writes("invoice")
def invoice(shown: Json, hidden: Json) -> Json:
    """Names subscription, payment and charge at the top, and says whether it is paid."""
    parent = shown.get("parent") or {}
    about = parent.get("subscription_details") or {}
    taxes = tax_amounts(shown.get("total_taxes"))
    lines = shown.get("lines") or {}
    return {
        **_without_later(shown),
        "application_fee_amount": None,
        "charge": hidden.get("charge"),
        "discount": None,
        "lines": {**lines, "data": [line(row, {}) for row in lines.get("data", [])]},
        "paid": shown.get("status") == "paid",
        "paid_out_of_band": bool(shown.get("amount_paid_off_stripe")),
        "payment_intent": hidden.get("payment_intent"),
        "quote": (parent.get("quote_details") or {}).get("quote"),
        "rendering_options": None,
        "subscription": about.get("subscription"),
        "subscription_details": {"metadata": about.get("metadata")},
        "tax": sum(tax["amount"] for tax in taxes) if taxes else None,
        "total_tax_amounts": taxes,
        "transfer_data": None,
    }


def _without_later(shown: Json) -> Json:
    return without(
        shown,
        "amount_overpaid",
        "amount_paid_off_stripe",
        "confirmation_secret",
        "parent",
        "payments",
        "status_details",
        "total_pretax_credit_amounts",
        "total_taxes",
    )


@writes("line_item")
def line(shown: Json, hidden: Json) -> Json:
    """Carries its price and says itself what it is for."""
    parent = shown.get("parent") or {}
    details = parent.get(ITEM) or parent.get("invoice_item_details") or {}
    price = price_of(shown.get("pricing"))
    later = ("parent", "pretax_credit_amounts", "pricing", "quantity_decimal", "subtotal", "taxes", *LATER_FIELDS)
    return {
        **without(shown, *later),
        "amount_excluding_tax": shown.get("subtotal", shown.get("amount")),
        "invoice_item": details.get("invoice_item"),
        "plan": plan_of(price),
        "price": price,
        "proration": details.get("proration", False),
        "proration_details": details.get("proration_details") or {"credited_items": None},
        "subscription": details.get("subscription"),
        "subscription_item": details.get("subscription_item"),
        "tax_amounts": tax_amounts(shown.get("taxes")),
        "tax_rates": [],
        "type": "subscription" if parent.get("type") == ITEM else "invoiceitem",
        "unit_amount_excluding_tax": (shown.get("pricing") or {}).get("unit_amount_decimal"),
    }


@writes("invoiceitem")
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
