"""Prices inside of lines and items, which later versions only name."""

from typing import Any

from stripe_emulator.models import Json, StoredObject


def price_of(pricing: Json | None) -> Json | None:
    """The price that `pricing.price_details` names, complete; None where there is none."""
    named = ((pricing or {}).get("price_details") or {}).get("price")
    if not isinstance(named, str):
        return named
    found = StoredObject.objects.filter(kind="price", stripe_id=named).first()
    return found.data if found else None


def plan_of(price: Json | None) -> Json | None:
    """The same price by its older name; None where nothing recurs."""
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


def tax_amounts(taxes: list[Json] | None) -> list[Json]:
    """`taxes` as they were written before."""
    return [
        {
            "amount": tax.get("amount"),
            "inclusive": tax.get("tax_behavior") == "inclusive",
            "tax_rate": _rate(tax.get("tax_rate_details")),
            "taxability_reason": tax.get("taxability_reason"),
            "taxable_amount": tax.get("taxable_amount"),
        }
        for tax in taxes or []
    ]


def _rate(details: Any) -> str | None:
    return details.get("tax_rate") if isinstance(details, dict) else None
