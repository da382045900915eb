"""Prices: https://docs.stripe.com/api/prices"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects, page
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.life.catalogue import change_price, create_price

FILTERS = ("active", "currency", "product", "recurring", "type")


@answers("POST", "prices", params="PriceCreateParams")
def create(call: Call) -> Json:
    metadata = merged({}, call.params.get("metadata"))
    return create_price({**call.params, "metadata": metadata}, at=call.at).data


@answers("GET", "prices", params="PriceListParams")
def list_all(call: Call) -> Json:
    if "lookup_keys" not in call.params:
        return list_objects("price", call.params, url="/v1/prices", filters=FILTERS)
    wanted = {name: call.params[name] for name in FILTERS if name in call.params}
    rows = store.find("price", **wanted).filter(data__lookup_key__in=call.params["lookup_keys"])
    return page(rows, call.params, url="/v1/prices", render=lambda stored: stored.data)


@answers("GET", "prices/{id}", params="PriceRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("price", id).data


@answers("POST", "prices/{id}", params="PriceUpdateParams")
def update(call: Call, *, id: str) -> Json:
    price = store.get("price", id, lock=True)
    metadata = merged(price.data["metadata"], call.params.get("metadata"))
    change_price(price, call.params, at=clock.now_for(price), metadata=metadata)
    return price.data
