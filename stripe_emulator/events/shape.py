"""An event as Stripe sends it: https://docs.stripe.com/api/events/object"""

from stripe_emulator.events.shapes_2023 import billing, payments  # noqa: F401 - they register themselves
from stripe_emulator.events.shapes_2023.registry import written
from stripe_emulator.models import DeliveryState, Event, Json

OLD_VERSION = "2023-10-16"


def render(event: Event, version: str) -> Json:
    """The event in the shapes of this API version; any but 2023-10-16 has those of the pinned one.

    `pending_webhooks` is what it is now; to show many events, prefetch their deliveries.
    """
    return {
        "id": event.stripe_id,
        "object": "event",
        "api_version": version,
        "created": event.created,
        "data": _data(event, version),
        "livemode": False,
        "pending_webhooks": pending_webhooks(event),
        "request": {"id": event.request_id or None, "idempotency_key": event.idempotency_key or None},
        "type": event.type,
    }


def pending_webhooks(event: Event) -> int:
    """How many endpoints still wait for the event."""
    deliveries = list(event.deliveries.all())
    waiting = {each.endpoint_id for each in deliveries if each.state == DeliveryState.PENDING}
    return len(waiting - {each.endpoint_id for each in deliveries if each.state == DeliveryState.DELIVERED})


def _data(event: Event, version: str) -> Json:
    """The object, and for updates what was different before."""
    if version != OLD_VERSION:
        previous = {} if event.previous is None else {"previous_attributes": event.previous}
        return {"object": event.object, **previous}
    now = written(event.object, event.hidden)
    if event.previous is None:
        return {"object": now}
    # A field that has moved since then has moved in what was different as well: compare both states as they were.
    before = written({**event.object, **event.previous}, event.hidden)
    return {"object": now, "previous_attributes": _differences(before, now)}


def _differences(before: Json, now: Json) -> Json:
    return {name: value for name, value in before.items() if name not in now or now[name] != value}
