"""A product: https://docs.stripe.com/api/products/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "product",
    "active": True,
    "default_price": None,
    "description": None,
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {},
    "package_dimensions": None,
    "shippable": None,
    "statement_descriptor": None,
    "tax_code": None,
    "tax_details": None,
    "type": "service",
    "unit_label": None,
    "url": None,
}


def new_product(at: int, *, name: str, **fields: object) -> Json:
    """A product born at this moment; `id` may be chosen by the seller."""
    return {**USUAL, "id": new_id("prod_", length=14), "name": name, "created": at, "updated": at, **fields}
