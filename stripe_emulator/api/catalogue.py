"""Products and prices: https://docs.stripe.com/api/prices"""

from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import catalogue
from stripe_emulator.errors import require_param
from stripe_emulator.models import StoredObject

PRODUCT_FIELDS = (
    "active", "description", "id", "images", "marketing_features", "name", "package_dimensions", "shippable",
    "statement_descriptor", "tax_code", "tax_details", "type", "unit_label", "url",
)  # fmt: skip


readable("products", kind="product", params="Product", filters=("active",))
readable("prices", kind="price", params="Price", filters=("active", "product"))


@route("POST", "products", params="ProductCreateParams")
def create_product(call: Call) -> StoredObject:
    require_param(call.params, "name")
    product = catalogue.create_product(at=call.at, metadata=call.metadata(), **call.only(PRODUCT_FIELDS))
    if price := call.params.get("default_price_data"):
        made = catalogue.create_price({**price, "product": product.stripe_id}, at=call.at, path="default_price_data")
        product.change(default_price=made.stripe_id)
    return product


@route("POST", "prices", params="PriceCreateParams")
def create_price(call: Call) -> StoredObject:
    return catalogue.create_price({**call.params, "metadata": call.metadata()}, at=call.at)
