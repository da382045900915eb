"""Decides when, how often and how changed an event goes to each endpoint."""

from stripe_emulator import clock, store
from stripe_emulator.models import Delivery, Event, StoredObject


def plan(event: Event) -> list[Delivery]:
    """One delivery for every enabled endpoint that wants the type, due at once."""
    return Delivery.objects.bulk_create(
        Delivery(event=event, endpoint=endpoint, position=event.number, due_at=clock.emulated_now())
        for endpoint in store.find("webhook_endpoint", status="enabled")
        if wants(endpoint, event.type)
    )


def wants(endpoint: StoredObject, event_type: str) -> bool:
    """Whether the endpoint has subscribed to the type."""
    return bool({"*", event_type} & set(endpoint.data["enabled_events"]))
