"""What can be pressed in the console: every button is declared once, with what it does and what is said afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from stripe_emulator import clock, store
from stripe_emulator.models import Delivery, Event, StoredObject

Form = Mapping[str, str]
Run = Callable[[str, Form], str | None]


@dataclass(frozen=True, slots=True)
class Button:
    """`act` is the name of an action; `amount_in`: the currency of an amount that may be given with it."""

    act: str
    id: str
    label: str
    amount_in: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One object in the overview. `detail` stands beside the state, in Stripe's words; `related`: id and state."""

    id: str
    what: str
    state: str
    tone: str
    buttons: list[Button]
    when: datetime | None = None
    detail: str = ""
    more: str = ""
    related: tuple[tuple[str, str], ...] = ()
    url: str = ""


def _always(subject: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """`run(id, form)` raises StripeRefusal, or returns the name of another action when that is what has happened.

    `done`: what is said when it went well. `label`: empty if the templates write the button themselves.
    `offered`: whether the button is there for an object as it stands; `amount_in` as in Button.
    `is_atomic`: everything happens or nothing; what works off timers sees to its own transactions.
    """

    name: str
    run: Run
    done: Promise
    label: Promise | str = ""
    offered: Callable[[Any], bool] = _always
    amount_in: Callable[[Any], str] | None = None
    is_atomic: bool = True

    def button(self, id: str, subject: Any) -> Button:
        amount_in = self.amount_in(subject) if self.amount_in else ""
        return Button(self.name, id, str(self.label), amount_in)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is shown in one section of the overview, and its actions in the order of their buttons.

    `name`: what ids of the actions must name, in Stripe's word, "event" or "delivery"; "" for nothing that is kept.
    """

    name: str
    section: str
    actions: list[Action] = field(default_factory=list)

    def action(self, name: str, *, done: Promise, **options: Any) -> Callable[[Run], Run]:
        """Declare an action; `options` as Action has them."""

        def register(run: Run) -> Run:
            declared = Action(name, run, done, **options)
            self.actions.append(declared)
            ACTIONS[name] = (self, declared)
            return run

        return register

    def buttons(self, id: str, subject: Any) -> list[Button]:
        """What is offered for the subject, which each action's `offered` understands."""
        return [action.button(id, subject) for action in self.actions if action.label and action.offered(subject)]

    def has(self, id: str) -> bool:
        """Whether an action of this kind can be about this id."""
        if self.name == "event":
            return Event.objects.filter(stripe_id=id).exists()
        if self.name == "delivery":
            return id.isdecimal() and len(id) < 19 and Delivery.objects.filter(pk=id).exists()
        return not self.name or StoredObject.objects.filter(kind=self.name, stripe_id=id).exists()


ACTIONS: dict[str, tuple[Kind, Action]] = {}


def locked(kind: str, id: str) -> tuple[StoredObject, int]:
    """The object, locked, and what time it is in its life."""
    found = store.get(kind, id, lock=True)
    return found, clock.now_for(found)
