"""Items of subscriptions, one by one: https://docs.stripe.com/api/subscription_items"""

from typing import Any

from stripe_emulator import clock, store
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, NoSuchObject
from stripe_emulator.life.catalogue import missing
from stripe_emulator.life.subscription_changes import apply_changes
from stripe_emulator.models import StoredObject

FIELDS = ("metadata", "plan", "price", "price_data", "quantity")


@answers("POST", "subscription_items", params="SubscriptionItemCreateParams")
def create(call: Call) -> Json:
    subscription = store.get("subscription", call.params["subscription"], param="subscription", lock=True)
    before = {item["id"] for item in _items(subscription)}
    _apply(subscription, _told(call.params))
    return next(item for item in _items(subscription) if item["id"] not in before)


@answers("GET", "subscription_items", params="SubscriptionItemListParams")
def list_all(call: Call) -> Json:
    if not call.params.get("subscription"):
        raise missing("subscription")
    listed: Json = store.get("subscription", call.params["subscription"], param="subscription").data["items"]
    return listed


@answers("GET", "subscription_items/{id}", params="SubscriptionItemRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return _item(_subscription_with(id), id)


@answers("POST", "subscription_items/{id}", params="SubscriptionItemUpdateParams")
def update(call: Call, *, id: str) -> Json:
    subscription = _subscription_with(id)
    _apply(subscription, {"id": id, **_told(call.params)})
    return _item(subscription, id)


@answers("DELETE", "subscription_items/{id}", params="SubscriptionItemDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    _apply(_subscription_with(id), {"id": id, "deleted": True})
    return {"id": id, "object": "subscription_item", "deleted": True}


def read_rows(items: list[Json], subscription: StoredObject | None = None) -> list[Json]:
    """The rows of `items` with the metadata that they will have."""
    known = {item["id"]: item["metadata"] for item in _items(subscription)} if subscription else {}
    return [{**row, "metadata": merged(known.get(row.get("id"), {}), row.get("metadata"))} for row in items]


def _apply(subscription: StoredObject, row: Json) -> None:
    apply_changes(subscription, {"items": read_rows([row], subscription)}, at=clock.now_for(subscription))
    subscription.refresh_from_db()


def _told(params: Json) -> Json:
    return {name: params[name] for name in FIELDS if name in params}


def _subscription_with(id: str) -> StoredObject:
    """The subscription that has this item, locked. Raises NoSuchObject."""
    holding = store.find("subscription", items={"data": [{"id": id}]})
    found = holding.select_for_update().first()
    if found is None:
        raise NoSuchObject("subscription_item", id, param="item")
    return found


def _items(subscription: StoredObject) -> list[Any]:
    rows: list[Any] = subscription.data["items"]["data"]
    return rows


def _item(subscription: StoredObject, id: str) -> Json:
    return next(item for item in _items(subscription) if item["id"] == id)
