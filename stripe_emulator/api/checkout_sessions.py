"""Checkout sessions: https://docs.stripe.com/api/checkout/sessions"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life.checkout import create_session, expire
from stripe_emulator.shapes.checkout_session import line_items

FILTERS = ("customer", "customer_details", "payment_intent", "payment_link", "status", "subscription")
HOLDING_METADATA = ("payment_intent_data", "setup_intent_data", "subscription_data")


@answers("POST", "checkout/sessions", params="checkout.SessionCreateParams")
def create(call: Call) -> Json:
    params = {**call.params, "metadata": merged({}, call.params.get("metadata"))}
    for name in HOLDING_METADATA:
        if name in params:
            params[name] = {**params[name], "metadata": merged({}, params[name].get("metadata"))}
    return create_session(params, at=call.at, is_pinned=call.is_pinned).data


@answers("GET", "checkout/sessions", params="checkout.SessionListParams")
def list_all(call: Call) -> Json:
    return list_objects("checkout.session", call.params, url="/v1/checkout/sessions", filters=FILTERS)


@answers("GET", "checkout/sessions/{id}", params="checkout.SessionRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("checkout.session", id).data


@answers("POST", "checkout/sessions/{id}", params="checkout.SessionUpdateParams")
def update(call: Call, *, id: str) -> Json:
    session = store.get("checkout.session", id, lock=True)
    for name in call.params:
        if name != "metadata":
            raise StripeRefusal("The emulator changes nothing of a session but its metadata.", param=name)
    session.change(metadata=merged(session.data["metadata"], call.params.get("metadata")))
    return session.data


@answers("POST", "checkout/sessions/{id}/expire", params="checkout.SessionExpireParams")
def end(call: Call, *, id: str) -> Json:
    session = store.get("checkout.session", id, lock=True)
    expire(session, at=clock.now_for(session))
    return session.data


@answers("GET", "checkout/sessions/{id}/line_items", params="checkout.SessionListLineItemsParams")
def list_lines(call: Call, *, id: str) -> Json:
    """All lines at once, or the first `limit` of them."""
    whole = line_items(store.get("checkout.session", id))
    rows = whole["data"]
    ids = [row["id"] for row in rows]
    after = call.params.get("starting_after")
    if after and after not in ids:
        raise StripeRefusal(f"No such line item: '{after}'", code="resource_missing", param="starting_after")
    rest = rows[ids.index(after) + 1 :] if after else rows
    limit = call.params.get("limit", 10)
    return {**whole, "data": rest[:limit], "has_more": len(rest) > limit}
