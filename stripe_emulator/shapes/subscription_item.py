"""An item of a subscription: https://docs.stripe.com/api/subscription_items/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "subscription_item",
    "billed_until": None,
    "billing_thresholds": None,
    "discounts": [],
    "metadata": {},
    "quantity": 1,
    "tax_rates": [],
}


def new_subscription_item(at: int, *, price: Json, **fields: object) -> Json:
    """An item that is billed at this price, shown in full; the period is given by whoever makes it."""
    born = {"id": new_id("si_", length=14), "created": at, "price": price, "plan": plan_of(price)}
    return {**USUAL, **born, **fields}


def plan_of(price: Json) -> Json:
    """The price as the older kind of object, which items still show."""
    recurring = price["recurring"]
    kept = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname", "product")
    return {
        **{name: price[name] for name in kept},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "meter": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
