"""A price: https://docs.stripe.com/api/prices/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "price",
    "active": True,
    "billing_scheme": "per_unit",
    "custom_unit_amount": None,
    "livemode": False,
    "lookup_key": None,
    "metadata": {},
    "nickname": None,
    "recurring": None,
    "tax_behavior": "unspecified",
    "tiers_mode": None,
    "transform_quantity": None,
}
RECURRING: Json = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}


def new_price(at: int, *, product: str, currency: str, unit_amount: int, **fields: object) -> Json:
    """A price born at this moment, once or (`recurring`) again and again. `unit_amount` in minor units."""
    amounts = {"unit_amount": unit_amount, "unit_amount_decimal": str(unit_amount)}
    kind = "recurring" if fields.get("recurring") else "one_time"
    identity = {"id": new_id("price_1"), "created": at, "product": product, "currency": currency, "type": kind}
    return {**USUAL, **identity, **amounts, **fields}


def new_recurring(given: Json) -> Json:
    """How often the price falls due."""
    return {**RECURRING, **given}
