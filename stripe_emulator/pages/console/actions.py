"""What can be pressed in the console: every button is declared once, with what it does and what is said afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.models import Delivery, Event, StoredObject
from stripe_emulator.pages.common import local_datetime, state_class

Form = Mapping[str, str]
Run = Callable[[str, Form], str | None]
Lock = Callable[[str], tuple[StoredObject, int]]


@dataclass(frozen=True, slots=True)
class Button:
    """`act` is the name of an action; `amount_in`: the currency of an amount that may be given with it."""

    act: str
    id: str
    label: str
    amount_in: str = ""


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
    offered: Callable[[Any], bool] = lambda _subject: True
    amount_in: Callable[[Any], str] | None = None
    is_atomic: bool = True

    def button(self, id: str, subject: Any) -> Button:
        amount_in = self.amount_in(subject) if self.amount_in else ""
        return Button(self.name, id, str(self.label), amount_in)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is shown in one section of the overview, and its actions in the order of their buttons.

    `name`: what ids of the actions must name, in Stripe's word, "event" or "delivery"; "" for nothing that is kept.
    `lock` finds the object that is to change and what time it is in its life, where others must be locked before it.
    """

    name: str
    section: str
    lock: Lock | None = None
    actions: list[Action] = field(default_factory=list)

    def action(self, name: str, *, done: Promise, **options: Any) -> Callable[[Run], Run]:
        """Declare an action; `options` as Action has them."""

        def register(run: Run) -> Run:
            declared = Action(name, run, done, **options)
            self.actions.append(declared)
            ACTIONS[name] = (self, declared)
            return run

        return register

    def offers(
        self,
        name: str,
        label: Promise,
        act: Callable[..., object],
        *,
        when: Callable[[Any], bool],
        done: Promise,
        lock: Lock | None = None,
    ) -> None:
        """Declare a button that does `act(object, at=…)`, there `when` the subject is in the right state."""

        def run(id: str, form: Form) -> None:
            stored, at = (lock or self.locked)(id)
            act(stored, at=at)

        self.action(name, label=label, offered=when, done=done)(run)

    def locked(self, id: str) -> tuple[StoredObject, int]:
        """The object, locked, and what time it is in its life. Raises StripeRefusal."""
        return self.lock(id) if self.lock else store.locked(self.name, id)

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


def has_status(*statuses: str) -> Callable[[Any], bool]:
    """Offer a button while the subject has one of these."""
    return lambda subject: subject.data["status"] in statuses


def row_of(kind: Kind, stored: StoredObject, *, what: str, **details: Any) -> Json:
    """One object in the overview. `details` such as `more`, `detail` (beside the state), `when`, `buttons`, `tone`."""
    state = stored.data["status"]
    return {
        "id": stored.stripe_id,
        "what": what,
        "state": state,
        "tone": state_class(state),
        "when": local_datetime(stored.created),
        **details,
        "buttons": details["buttons"] if "buttons" in details else kind.buttons(stored.stripe_id, stored),
    }
