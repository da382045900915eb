"""Products and prices: https://docs.stripe.com/api/prices/object"""

from stripe_emulator.errors import Json
from stripe_emulator.objects.parts import nulls
from stripe_emulator.store import new_id

PRODUCT_DEFAULTS: Json = {
    "object": "product",
    "active": True,
    **nulls(
        "default_price description package_dimensions shippable statement_descriptor tax_code tax_details unit_label "
        "url"
    ),
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {},
    "type": "service",
}


def new_product(at: int, *, name: str, **fields: object) -> Json:
    """A product born at this moment; `id` may be chosen by the seller."""
    return {**PRODUCT_DEFAULTS, "id": new_id("prod_", length=14), "name": name, "created": at, "updated": at, **fields}


PRICE_DEFAULTS: Json = {
    "object": "price",
    "active": True,
    "billing_scheme": "per_unit",
    **nulls("custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity"),
    "livemode": False,
    "metadata": {},
    "tax_behavior": "unspecified",
}
RECURRING_DEFAULTS: Json = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}


def new_price(at: int, *, product: str, currency: str, unit_amount: int, **fields: object) -> Json:
    """A price born at this moment, once or (`recurring`) again and again. `unit_amount` in minor units."""
    amounts = {"unit_amount": unit_amount, "unit_amount_decimal": str(unit_amount)}
    kind = "recurring" if fields.get("recurring") else "one_time"
    identity = {"id": new_id("price_1"), "created": at, "product": product, "currency": currency, "type": kind}
    return {**PRICE_DEFAULTS, **identity, **amounts, **fields}
