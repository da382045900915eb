"""Products: https://docs.stripe.com/api/products"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects, page
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.life.catalogue import create_price, create_product, delete_product, missing

FIELDS = (
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "tax_details",
    "unit_label",
    "url",
)
LISTS = ("images", "marketing_features")


@answers("POST", "products", params="ProductCreateParams")
def create(call: Call) -> Json:
    if not call.params.get("name"):
        raise missing("name")
    fields = {name: call.params[name] for name in (*FIELDS, "id", "type") if name in call.params}
    product = create_product(at=call.at, metadata=merged({}, call.params.get("metadata")), **fields)
    if price := call.params.get("default_price_data"):
        made = create_price({**price, "product": product.stripe_id}, at=call.at, path="default_price_data")
        product.change(default_price=made.stripe_id)
    return product.data


@answers("GET", "products", params="ProductListParams")
def list_all(call: Call) -> Json:
    if "ids" not in call.params:
        filters = ("active", "shippable", "type", "url")
        return list_objects("product", call.params, url="/v1/products", filters=filters)
    rows = store.find("product").filter(stripe_id__in=call.params["ids"])
    return page(rows, call.params, url="/v1/products", render=lambda stored: stored.data)


@answers("GET", "products/{id}", params="ProductRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    product = store.get("product", id)
    return store.stub(product) if product.is_deleted else product.data


@answers("POST", "products/{id}", params="ProductUpdateParams")
def update(call: Call, *, id: str) -> Json:
    product = store.get_living("product", id, lock=True)
    fields = {name: _unset(name, call.params[name]) for name in FIELDS if name in call.params}
    if price := call.params.get("default_price"):
        fields["default_price"] = store.get("price", price, param="default_price").stripe_id
    metadata = merged(product.data["metadata"], call.params.get("metadata"))
    at = clock.now_for(product)
    previous = product.change(**fields, metadata=metadata)
    if previous:
        product.change(updated=at)
        emit("product.updated", product, at=at, previous=previous)
    return product.data


@answers("DELETE", "products/{id}", params="ProductDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    product = store.get_living("product", id, lock=True)
    return delete_product(product, at=clock.now_for(product))


def _unset(name: str, value: object) -> object:
    """An empty text unsets a field."""
    if value != "":
        return value
    return [] if name in LISTS else None
