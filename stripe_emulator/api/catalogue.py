"""Products and prices: https://docs.stripe.com/api/prices"""

from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import catalogue
from stripe_emulator.errors import Json, missing_param

PRODUCT_FIELDS = (
    "active", "description", "images", "marketing_features", "name", "package_dimensions", "shippable",
    "statement_descriptor", "tax_code", "tax_details", "unit_label", "url",
)  # fmt: skip


readable("products", kind="product", params="Product", filters=("active",))
readable("prices", kind="price", params="Price", filters=("active", "product"))


@route("POST", "products", params="ProductCreateParams")
def create_product(call: Call) -> Json:
    if not call.params.get("name"):
        raise missing_param("name")
    fields = {name: call.params[name] for name in (*PRODUCT_FIELDS, "id", "type") if name in call.params}
    product = catalogue.create_product(at=call.at, metadata=merged_metadata({}, call.params.get("metadata")), **fields)
    if price := call.params.get("default_price_data"):
        made = catalogue.create_price({**price, "product": product.stripe_id}, at=call.at, path="default_price_data")
        product.change(default_price=made.stripe_id)
    return product.data


@route("POST", "prices", params="PriceCreateParams")
def create_price(call: Call) -> Json:
    metadata = merged_metadata({}, call.params.get("metadata"))
    return catalogue.create_price({**call.params, "metadata": metadata}, at=call.at).data
