"""Makes the event of something that has happened and plans its deliveries in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings

from stripe_emulator import clock
from stripe_emulator.errors import Json
from stripe_emulator.events import bell
from stripe_emulator.events.chaos import Chaos, Copy
from stripe_emulator.events.endpoints import is_open, wants
from stripe_emulator.models import Delivery, DeliveryState, Emulation, Event, StoredObject
from stripe_emulator.store import new_id


@dataclass(frozen=True, slots=True)
class Origin:
    """The API call that made it happen; empty when Stripe itself did."""

    request_id: str = ""
    idempotency_key: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen


@contextmanager
def caused_by(origin: Origin) -> Iterator[None]:
    """Whatever happens inside was asked for by this call."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def emit(event_type: str, about: StoredObject, *, at: int, previous: Json | None = None) -> Event:
    """Say that it happened to the object, as the object is now. `at`: Unix time in the object's life.

    `previous`: what was different before, for the `….updated` events.
    """
    origin = _origin.get()
    event = Event.objects.create(
        stripe_id=new_id("evt_1"),
        type=event_type,
        created=at,
        api_version=settings.STRIPE_API_VERSION,
        object_id=about.stripe_id,
        object=about.data,
        hidden=about.hidden,
        previous=previous,
        request_id=origin.request_id,
        idempotency_key=origin.idempotency_key,
    )
    _plan(event)
    return event


def _plan(event: Event) -> None:
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
    Delivery.objects.bulk_create(planned)


def _delivery(event: Event, endpoint: StoredObject, copy: Copy, *, now: int) -> Delivery:
    return Delivery(
        event=event,
        endpoint=endpoint,
        state=DeliveryState.DROPPED if copy.is_dropped else DeliveryState.PENDING,
        position=event.number + copy.later,
        due_at=now + copy.delay,
        variation=copy.variation,
    )
