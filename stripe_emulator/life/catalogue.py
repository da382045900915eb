"""Products and their prices come into being, also those that a session brings along."""

from stripe_emulator import store
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life.currencies import GREATEST_AMOUNT, known_currency
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.price import new_price, new_recurring
from stripe_emulator.shapes.product import new_product

LONGEST_INTERVALS = {"day": 1095, "week": 156, "month": 36, "year": 3}
PRICE_FIELDS = ("active", "lookup_key", "metadata", "nickname", "tax_behavior")
UNKNOWN_HERE = ("custom_unit_amount", "tiers", "tiers_mode", "transform_quantity", "currency_options")


def create_product(*, at: int, name: str, **fields: object) -> StoredObject:
    """A product of the catalogue. Raises StripeRefusal if its chosen `id` is taken."""
    id = fields.get("id")
    if id and StoredObject.objects.filter(stripe_id=id).exists():
        raise StripeRefusal(f"Product already exists: {id}", code="resource_already_exists", param="id")
    product = store.keep(new_product(at, name=name, **fields))
    emit("product.created", product, at=at)
    return product


def delete_product(product: StoredObject, *, at: int) -> Json:
    """Forget the product. Returns its stub; raises StripeRefusal while it has prices."""
    if store.find("price", product=product.stripe_id).exists():
        raise StripeRefusal("This product cannot be deleted because it has one or more user-created prices.")
    gone = store.delete(product)
    emit("product.deleted", product, at=at)
    return gone


def create_price(params: Json, *, at: int, path: str = "") -> StoredObject:
    """A price of a product that is there or comes with it (`product_data`).

    `path` is where the parameters stand, such as "line_items[0][price_data]", for the refusals: StripeRefusal.
    """
    for name in UNKNOWN_HERE:
        if params.get(name):
            raise StripeRefusal("The emulator knows prices with a unit_amount only.", param=inside(path, name))
    if not params.get("currency"):
        raise missing(inside(path, "currency"))
    currency = known_currency(params["currency"], param=inside(path, "currency"))
    amount, recurring = _unit_amount(params, path), _recurring(params, path)
    fields = {name: params[name] for name in PRICE_FIELDS if name in params}
    _claim_lookup_key(params)
    product = _product_of(params, at, path)
    data = new_price(at, product=product, currency=currency, unit_amount=amount, recurring=recurring, **fields)
    price = store.keep(data)
    emit("price.created", price, at=at)
    return price


def change_price(price: StoredObject, params: Json, *, at: int, metadata: Json) -> None:
    """What may change about a price; its amount may not."""
    _claim_lookup_key(params, by=price.stripe_id)
    fields = {name: params[name] for name in PRICE_FIELDS if name in params}
    previous = price.change(**fields | {"metadata": metadata})
    if previous:
        emit("price.updated", price, at=at, previous=previous)


def inside(path: str, name: str) -> str:
    """The parameter's full name, as Stripe writes it."""
    return f"{path}[{name}]" if path else name


def missing(param: str) -> StripeRefusal:
    """The refusal of a call without this parameter."""
    return StripeRefusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def _unit_amount(params: Json, path: str) -> int:
    """In minor units; whole ones only, so that every sum is exact."""
    given = params.get("unit_amount", params.get("unit_amount_decimal"))
    if given is None:
        raise missing(inside(path, "unit_amount"))
    text = str(given)
    if not text.isdecimal() or int(text) > GREATEST_AMOUNT:
        message = f"Invalid unit_amount: it must be a whole number from 0 to {GREATEST_AMOUNT}."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=inside(path, "unit_amount"))
    return int(text)


def _recurring(params: Json, path: str) -> Json | None:
    given = params.get("recurring")
    if not given:
        return None
    param = inside(path, "recurring")
    if given.get("interval") not in LONGEST_INTERVALS:
        raise missing(inside(param, "interval"))
    if given.get("usage_type") == "metered":
        raise StripeRefusal("The emulator meters no usage.", param=inside(param, "usage_type"))
    most = LONGEST_INTERVALS[given["interval"]]
    if not 1 <= given.get("interval_count", 1) <= most:
        message = f"Invalid interval_count: for the interval {given['interval']} it must be between 1 and {most}."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=inside(param, "interval_count"))
    return new_recurring(given)


def _product_of(params: Json, at: int, path: str) -> str:
    """The id of the product that is named, or made from `product_data`."""
    named, told = params.get("product"), params.get("product_data") or {}
    if bool(named) == bool(told):
        message = f"You must specify either {inside(path, 'product')} or {inside(path, 'product_data')}, not both."
        raise StripeRefusal(message, code="parameter_missing", param=inside(path, "product"))
    if named:
        return store.get_living("product", named, param=inside(path, "product")).stripe_id
    if not told.get("name"):
        raise missing(inside(path, "product_data[name]"))
    return create_product(at=at, **told).stripe_id


def _claim_lookup_key(params: Json, *, by: str = "") -> None:
    """One price at a time has a lookup key; it is handed over when the call says so."""
    key = params.get("lookup_key")
    holder = store.find("price", lookup_key=key).first() if key else None
    if holder is None or holder.stripe_id == by:
        return
    if not params.get("transfer_lookup_key"):
        message = f"A price (`{holder.stripe_id}`) already uses that lookup key."
        raise StripeRefusal(message, param="lookup_key")
    holder.change(lookup_key=None)
