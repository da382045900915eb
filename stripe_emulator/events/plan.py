"""Decides when, how often and how changed an event goes to each endpoint."""

from stripe_emulator import clock
from stripe_emulator.events import bell
from stripe_emulator.events.chaos import Chaos, Copy
from stripe_emulator.models import Delivery, DeliveryState, Emulation, Event, StoredObject


def plan(event: Event) -> list[Delivery]:
    """One delivery for every enabled endpoint that wants the type, due at once, or what chaos makes of that."""
    emulation = Emulation.current()
    chaos = Chaos.of(emulation)
    if event.number < chaos.first_event:
        chaos = Chaos()  # it got its number before chaos was switched on, and is planned only now
    if chaos.same_second:
        event.created = chaos.began_at
        event.save(update_fields=["created"])
    now = clock.real_now() + emulation.ahead
    planned = [
        _delivery(event, endpoint, copy, now=now)
        for place, endpoint in enumerate(StoredObject.objects.filter(kind="webhook_endpoint").order_by("number"))
        if is_open(endpoint) and wants(endpoint, event.type)
        for copy in chaos.copies(event.number, endpoint=place)
    ]
    bell.ring_on_commit()
    return Delivery.objects.bulk_create(planned)


def is_open(endpoint: StoredObject) -> bool:
    """Whether anything is sent to the endpoint: neither deleted nor disabled."""
    return not endpoint.is_deleted and endpoint.data["status"] == "enabled"


def wants(endpoint: StoredObject, event_type: str) -> bool:
    """Whether the endpoint has subscribed to the type."""
    return bool({"*", event_type} & set(endpoint.data["enabled_events"]))


def _delivery(event: Event, endpoint: StoredObject, copy: Copy, *, now: int) -> Delivery:
    return Delivery(
        event=event,
        endpoint=endpoint,
        state=DeliveryState.DROPPED if copy.is_dropped else DeliveryState.PENDING,
        position=event.number + copy.later,
        due_at=now + copy.delay,
        variation=copy.variation,
    )
