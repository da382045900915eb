"""Which function delivers which kind of effect: the complete kind is the key, so that a search finds everything."""

from collections.abc import Callable
from dataclasses import dataclass

from payments.effects.models import Effect


@dataclass(frozen=True, slots=True)
class Skip:
    """Said by a deliverer: what the effect told of no longer holds. `reason` in English, marked for translation."""

    reason: str


class OutcomeUnknown(RuntimeError):
    """Raised by a deliverer that was cut off halfway: it may have happened, or not."""


Deliver = Callable[[Effect], Skip | None]


@dataclass(frozen=True, slots=True)
class Deliverer:
    """How one kind of effect is delivered. `is_repeatable`: doing it twice does no harm outside."""

    deliver: Deliver
    is_repeatable: bool


_deliverers: dict[str, Deliverer] = {}


class DeliveredTwice(RuntimeError):
    """Two functions claim the same kind of effect."""


def delivers(kind: str, *, repeatable: bool = False) -> Callable[[Deliver], Deliver]:
    """Register the decorated function for this kind. It returns when the effect is delivered; raising = refused.

    `repeatable`: idempotent outside (a refund with an idempotency key), so what a dead worker left is simply done
    again. Anything else (a mail) then becomes UNCERTAIN and is never repeated by itself.
    """

    def register(deliver: Deliver) -> Deliver:
        if kind in _deliverers:
            raise DeliveredTwice(kind)
        _deliverers[kind] = Deliverer(deliver, is_repeatable=repeatable)
        return deliver

    return register


def find_deliverer(kind: str) -> Deliverer | None:
    """How this kind is delivered; None if nobody does."""
    return _deliverers.get(kind)


def repeatable_kinds() -> list[str]:
    """The kinds that may be delivered twice without harm."""
    return [kind for kind, deliverer in _deliverers.items() if deliverer.is_repeatable]
