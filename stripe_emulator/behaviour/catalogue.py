"""Products and their prices come into being, also those that a session brings along."""

from stripe_emulator import store
from stripe_emulator.behaviour.amounts import check_greatest, check_step, known_currency
from stripe_emulator.errors import Json, StripeRefusal, param_path, refuse_unsupported, require_one, require_param
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.catalogue import RECURRING_DEFAULTS, new_price, new_product

LONGEST_INTERVALS = {"day": 1095, "week": 156, "month": 36, "year": 3}
PRICE_FIELDS = ("active", "metadata", "nickname", "tax_behavior")
UNSUPPORTED = ("currency_options", "custom_unit_amount", "lookup_key", "tiers", "tiers_mode", "transform_quantity")


def create_product(*, at: int, name: str, **fields: object) -> StoredObject:
    """A product of the catalogue. Raises StripeRefusal if its chosen `id` is taken."""
    id = fields.get("id")
    if id and StoredObject.objects.filter(stripe_id=id).exists():
        raise StripeRefusal(f"Product already exists: {id}", code="resource_already_exists", param="id")
    product = store.keep(new_product(at, name=name, **fields))
    emit("product.created", product, at=at)
    return product


def create_price(params: Json, *, at: int, path: str = "") -> StoredObject:
    """A price of a product that is there or comes with it (`product_data`).

    `path` is where the parameters stand, such as "line_items[0][price_data]", for the refusals: StripeRefusal.
    """
    refuse_unsupported(params, UNSUPPORTED, of="prices", inside=path)
    currency = known_currency(require_param(params, "currency", inside=path), param=param_path(path, "currency"))
    amount, recurring = _unit_amount(params, currency, path), _recurring(params, path)
    fields = {name: params[name] for name in PRICE_FIELDS if name in params}
    product = _product_id(params, at, path)
    price = store.keep(
        new_price(at, product=product, currency=currency, unit_amount=amount, recurring=recurring, **fields)
    )
    emit("price.created", price, at=at)
    return price


def _unit_amount(params: Json, currency: str, path: str) -> int:
    """In minor units; whole ones only, so that every sum is exact. How little may be charged, only a sum tells."""
    text = str(params.get("unit_amount", params.get("unit_amount_decimal", "")))
    require_param({"unit_amount": text}, "unit_amount", inside=path)
    param = param_path(path, "unit_amount")
    if not text.isdecimal():
        message = "Invalid unit_amount: it must be a whole number from 0 up."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=param)
    check_greatest(int(text), currency, param=param)
    check_step(int(text), currency, param=param)
    return int(text)


def _recurring(params: Json, path: str) -> Json | None:
    given = params.get("recurring")
    if not given:
        return None
    param = param_path(path, "recurring")
    interval = require_param(given, "interval", inside=param)
    if interval not in LONGEST_INTERVALS:
        message = f"Invalid interval: must be one of {', '.join(LONGEST_INTERVALS)}"
        raise StripeRefusal(message, param=param_path(param, "interval"))
    if given.get("usage_type") == "metered":
        raise StripeRefusal("The emulator meters no usage.", param=param_path(param, "usage_type"))
    most = LONGEST_INTERVALS[interval]
    if not 1 <= given.get("interval_count", 1) <= most:
        message = f"Invalid interval_count: for the interval {interval} it must be between 1 and {most}."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=param_path(param, "interval_count"))
    return {**RECURRING_DEFAULTS, **given}


def _product_id(params: Json, at: int, path: str) -> str:
    """The id of the product that is named, or made from `product_data`."""
    require_one(params, "product", "product_data", inside=path)
    if named := params.get("product"):
        return store.get_living("product", named, param=param_path(path, "product")).stripe_id
    require_param(params["product_data"], "name", inside=param_path(path, "product_data"))
    return create_product(at=at, **params["product_data"]).stripe_id
