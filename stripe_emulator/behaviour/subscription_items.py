"""What a subscription consists of: prices, quantities and the billing period that they are in."""

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stripe_emulator import store
from stripe_emulator.behaviour.catalogue import create_price
from stripe_emulator.errors import Json, StripeRefusal, missing_param, param_path
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import new_subscription_item, plan_of

DAY = 24 * 3600
LONGEST_SECONDS = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}
MONTHS = {"month": 1, "year": 12}
MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class PricedQuantity:
    """So many of a price."""

    price: Json
    quantity: int
    metadata: Json = field(default_factory=dict)


def period_end(anchor: int, recurring: Json, *, start: int) -> int:
    """The end of the period that starts then: the first boundary after it. All are Unix seconds.

    Boundaries lie whole intervals of `recurring` (a price's) from the anchor. The anchor itself is one.
    """
    interval, count = recurring["interval"], recurring["interval_count"]
    passed = max(0, (start - anchor) // (LONGEST_SECONDS[interval] * count))
    while (boundary := _boundary(anchor, interval, count * passed)) <= start:
        passed += 1
    return boundary


def read_items(items: list[Json], *, at: int) -> list[PricedQuantity]:
    """Rows of parameters such as `{"price": …, "quantity": 2}`, also with `price_data`. Raises StripeRefusal."""
    if not items:
        raise missing_param("items")
    if len(items) > MOST_ITEMS:
        raise StripeRefusal(f"A subscription has at most {MOST_ITEMS} items.", param="items")
    return [_read_item(item, f"items[{place}]", at) for place, item in enumerate(items)]


def common_recurring(rows: list[PricedQuantity]) -> Json:
    """How often all of them fall due. Raises StripeRefusal for different intervals or currencies."""
    intervals = {interval_of(row.price) for row in rows}
    if len(intervals) != 1 or len({row.price["currency"] for row in rows}) != 1:
        message = "The emulator bills all items of a subscription in one currency and one interval."
        raise StripeRefusal(message, param="items")
    recurring: Json = rows[0].price["recurring"]
    return recurring


def create_items(rows: list[PricedQuantity], *, subscription_id: str, at: int, end: int) -> list[Json]:
    """Items for a period that begins now and ends then."""
    period = {"current_period_start": at, "current_period_end": end, "subscription": subscription_id}
    return [
        new_subscription_item(at, price=row.price, quantity=row.quantity, metadata=row.metadata, **period)
        for row in rows
    ]


def changed_items(subscription: StoredObject, given: list[Json], *, at: int) -> list[Json]:
    """The items after such an `items` of an update: rows with an `id` change or delete one, others are new.

    Raises StripeRefusal for items that the subscription has not, and when none would be left.
    """
    items: dict[str, Json] = {item["id"]: item for item in subscription.data["items"]["data"]}
    first = next(iter(items.values()))
    for place, params in enumerate(given):
        path, id = f"items[{place}]", params.get("id")
        if id is None:
            row = _read_item(params, path, at)
            end = first["current_period_end"]
            (added,) = create_items([row], subscription_id=subscription.stripe_id, at=at, end=end)
            items[added["id"]] = {**added, "current_period_start": first["current_period_start"]}
        elif id not in items:
            raise StripeRefusal(f"No such subscription item: '{id}'", code="resource_missing", param=f"{path}[id]")
        elif params.get("deleted"):
            del items[id]
        else:
            items[id] = _changed(items[id], params, path, at)
    common_recurring([PricedQuantity(item["price"], item["quantity"]) for item in items.values()])
    return list(items.values())


def period_of(subscription: Json) -> tuple[int, int]:
    """Begin and end of the current period; all items have the same."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def moved_to_next_period(subscription: Json, *, start: int) -> list[Json]:
    """The items in the period that begins then."""
    items: list[Json] = subscription["items"]["data"]
    end = period_end(subscription["billing_cycle_anchor"], items[0]["price"]["recurring"], start=start)
    return [{**item, "current_period_start": start, "current_period_end": end} for item in items]


def _boundary(anchor: int, interval: str, number: int) -> int:
    """So many intervals after the anchor; the last day where a month is too short."""
    if interval not in MONTHS:
        return anchor + LONGEST_SECONDS[interval] * number
    day = datetime.fromtimestamp(anchor, tz=UTC)
    years, month = divmod(day.month - 1 + MONTHS[interval] * number, 12)
    year, month = day.year + years, month + 1
    last = calendar.monthrange(year, month)[1]
    return int(day.replace(year=year, month=month, day=min(day.day, last)).timestamp())


def interval_of(price: Json) -> tuple[str, int]:
    """How often the price falls due."""
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _changed(item: Json, params: Json, path: str, at: int) -> Json:
    is_priced = any(params.get(name) for name in ("price", "plan", "price_data"))
    price = _price(params, path, at) if is_priced else item["price"]
    kept = {name: params.get(name, item[name]) for name in ("quantity", "metadata")}
    return {**item, "price": price, "plan": plan_of(price), **kept}


def _read_item(item: Json, path: str, at: int) -> PricedQuantity:
    quantity = item.get("quantity", 1)
    if quantity < 0:
        raise StripeRefusal("This value must be greater than or equal to 0.", param=f"{path}[quantity]")
    return PricedQuantity(_price(item, path, at), quantity, item.get("metadata") or {})


def _price(item: Json, path: str, at: int) -> Json:
    """The recurring price that is named or described."""
    if item.get("price_data"):
        return create_price(item["price_data"], at=at, path=param_path(path, "price_data")).data
    id = item.get("price") or item.get("plan")
    if not id:
        raise missing_param(param_path(path, "price"))
    price = store.get("price", id, param=param_path(path, "price")).data
    if not price["active"]:
        raise StripeRefusal(f"The price specified is inactive: {id}.", param=param_path(path, "price"))
    return price
