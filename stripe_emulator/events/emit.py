"""Makes the event of something that has happened; its deliveries are planned in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings

from stripe_emulator.events.plan import plan
from stripe_emulator.ids import new_id
from stripe_emulator.models import Event, Json, StoredObject


@dataclass(frozen=True, slots=True)
class Origin:
    """The API call that made it happen; empty when Stripe itself did."""

    request_id: str = ""
    idempotency_key: str = ""


NOBODY = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOBODY)


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
    plan(event)
    return event
