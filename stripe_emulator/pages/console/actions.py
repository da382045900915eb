"""What the buttons do: one function for each, registered under the name that the button sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stripe_emulator import clock, store
from stripe_emulator.models import StoredObject

Given = Mapping[str, str]
Act = Callable[[str, Given], str | None]


@dataclass(frozen=True, slots=True)
class Action:
    """`kind`: what the id must name (Stripe's word, "event" or "delivery"), "" for nothing that is kept.

    `section`: the part of the overview that shows the result.
    `is_atomic`: everything happens or nothing. What works off timers or deliveries sees to its own transactions.
    """

    act: Act
    section: str
    kind: str
    is_atomic: bool


ACTIONS: dict[str, Action] = {}


def action(name: str, *, section: str, kind: str = "", is_atomic: bool = True) -> Callable[[Act], Act]:
    """Register `act(id, given)`: the id that the button names and the form that was sent with it.

    It may return the name of another action when that is what has happened. Raises StripeRefusal; done.py has
    what is said when it went well.
    """

    def register(act: Act) -> Act:
        ACTIONS[name] = Action(act, section, kind, is_atomic)
        return act

    return register


def locked(kind: str, id: str) -> tuple[StoredObject, int]:
    """The object, locked, and what time it is in its life."""
    found = store.get(kind, id, lock=True)
    return found, clock.now_for(found)
