"""What a session sells: its lines, and which of them go together."""

from stripe_emulator import store
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life.catalogue import create_price, inside, missing
from stripe_emulator.life.currencies import GREATEST_AMOUNT, known_currency, least_charge
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.line_item import new_line_item

MOST_LINES = {"payment": 100, "subscription": 40}
GREATEST_QUANTITY = 999_999


def line_items_of(params: Json, *, at: int) -> list[Json]:
    """The lines that the parameters ask for. Raises StripeRefusal where they make no sense together."""
    mode, rows = params["mode"], params.get("line_items") or []
    if mode == "setup":
        if rows:
            raise StripeRefusal("You can not pass `line_items` in `setup` mode.", param="line_items")
        return []
    if not rows:
        raise missing("line_items")
    if len(rows) > MOST_LINES[mode]:
        raise StripeRefusal(f"There can be at most {MOST_LINES[mode]} line items.", param="line_items")
    lines = [_line(row, f"line_items[{number}]", mode, at) for number, row in enumerate(rows)]
    _check_intervals(mode, [line["price"]["recurring"] for line in lines])
    _check_currencies(params, {line["currency"] for line in lines})
    return lines


def check_total(mode: str, total: int, currency: str) -> None:
    """Nothing at all is fine, next to nothing is not: https://docs.stripe.com/payments/checkout/no-cost-orders"""
    least = least_charge(currency)
    if mode == "payment" and 0 < total < least:
        message = f"The Checkout Session's total amount due must add up to at least {least} {currency} (minor units)."
        raise StripeRefusal(message, code="amount_too_small", param="line_items")
    if total > GREATEST_AMOUNT:
        message = f"The Checkout Session's total amount due must be no more than {GREATEST_AMOUNT} {currency}."
        raise StripeRefusal(message, code="amount_too_large", param="line_items")


def _line(row: Json, path: str, mode: str, at: int) -> Json:
    if row.get("tax_rates"):
        raise StripeRefusal(f"No such tax rate: '{row['tax_rates'][0]}'", code="resource_missing", param=path)
    quantity = _quantity(row, path)
    price = _price_of(row, path, mode, at)
    product = store.get("product", price.data["product"])
    metadata = row.get("metadata") or {}
    return new_line_item(price=price.data, quantity=quantity, description=product.data["name"], metadata=metadata)


def _quantity(row: Json, path: str) -> int:
    param = inside(path, "quantity")
    if "quantity" not in row:
        raise missing(param)
    if not 1 <= row["quantity"] <= GREATEST_QUANTITY:
        message = f"This value must be between 1 and {GREATEST_QUANTITY}."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=param)
    return int(row["quantity"])


def _price_of(row: Json, path: str, mode: str, at: int) -> StoredObject:
    """The price that is named, or one made for this session; of the latter only subscriptions go on using theirs."""
    if bool(row.get("price")) == bool(row.get("price_data")):
        message = f"You must specify either {inside(path, 'price')} or {inside(path, 'price_data')}, not both."
        raise StripeRefusal(message, code="parameter_missing", param=inside(path, "price"))
    if "price_data" in row:
        told = {**row["price_data"], "active": mode == "subscription"}
        return create_price(told, at=at, path=inside(path, "price_data"))
    price = store.get_living("price", row["price"], param=inside(path, "price"))
    if not price.data["active"]:
        message = "The price specified is inactive. This field only accepts active prices."
        raise StripeRefusal(message, code="price_inactive", param=inside(path, "price"))
    return price


def _check_intervals(mode: str, intervals: list[Json | None]) -> None:
    recurring = [each for each in intervals if each]
    if mode == "payment" and recurring:
        message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
        raise StripeRefusal(message + "use only one-time prices.", param="line_items")
    if mode == "subscription" and not recurring:
        message = "You must provide at least one recurring price in `subscription` mode when using prices."
        raise StripeRefusal(message, param="line_items")
    if len({(each["interval"], each["interval_count"]) for each in recurring}) > 1:
        raise StripeRefusal("All recurring prices of a session must have the same interval.", param="line_items")


def _check_currencies(params: Json, currencies: set[str]) -> None:
    if params.get("currency"):
        currencies = currencies | {known_currency(params["currency"])}
    if len(currencies) > 1:
        raise StripeRefusal("All prices of a session must be in the same currency.", param="line_items")
