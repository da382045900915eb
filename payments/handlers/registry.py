"""Which function understands which Stripe event: the complete event name is the key, so that a search finds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from payments.facts import Facts


@dataclass(frozen=True, slots=True)
class EventView:
    """One Stripe event as a handler sees it: plain JSON, any API shape. `occurred_at` is Stripe's `created`, UTC."""

    id: str
    type: str
    occurred_at: datetime
    object: Mapping[str, Any]
    api_version: str = ""
    previous: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[[EventView], Facts]
# Thin events are sent to a destination of their own, and stand in no list of events: https://docs.stripe.com/event-destinations
THIN_TYPES = "v2."
# By the event type; there is none for a type that we keep but do not follow.
HANDLERS: dict[str, Handler] = {}


class HandledTwice(RuntimeError):
    """Two functions claim the same event type."""


def handles(*event_types: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for exactly these event types."""

    def register(handler: Handler) -> Handler:
        for event_type in event_types:
            if event_type in HANDLERS:
                raise HandledTwice(event_type)
            HANDLERS[event_type] = handler
        return handler

    return register


def handled_types() -> list[str]:
    """Every event type that has a handler, sorted: what the endpoint at Stripe must send. Thin ones stand apart."""
    return sorted(name for name in HANDLERS if not name.startswith(THIN_TYPES))
