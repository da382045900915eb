"""The registry of the rules: what each looks at, how grave it is, and what helps."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils import translation
from django.utils.functional import Promise
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext_lazy as _

from payments.products import Value


class AlertSeverity(TextChoices):
    """HIGH: money, places or accesses suffer now. MEDIUM: they will if nobody looks. LOW: it waits for office hours."""

    HIGH = "high", _("high")
    MEDIUM = "medium", _("medium")
    LOW = "low", _("low")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a rule has found. `text`: an English sentence, marked for translation, which takes `values`.

    `page`: the path of the page that helps. `subject`: of what, where a rule can find several things at once.
    """

    text: str
    page: str
    values: Mapping[str, Value | dict[str, str]] = field(default_factory=dict)
    subject: str = ""


def words(text: str | Promise) -> dict[str, str]:
    """A text of ours as a value of a sentence: it too is translated when it is read."""
    with translation.override(None):
        return {"msgid": str(text)}


def moment_words(moment: datetime) -> dict[str, str]:
    """`day` and `clock` of a moment, by the site's clock, as values of a sentence."""
    local = localtime(moment, get_default_timezone())
    return {"day": f"{local:%Y-%m-%d}", "clock": f"{local:%H:%M}"}


@dataclass(frozen=True, slots=True)
class Look:
    """What a rule looks at: the window that ends at `at`; less than `sample` says nothing."""

    at: datetime
    window: timedelta
    sample: int

    @property
    def since(self) -> datetime:
        return self.at - self.window


Find = Callable[[Look], Iterable[Trouble]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is watched. `remedy`: what to do, in a sentence.

    `cool_down`: what comes back within this time after it was over is the same incident, and brings no other mail.
    `every`: how often it is looked at. `has_mail`: false for what has a mail of its own already.
    """

    name: str
    title: str | Promise
    severity: AlertSeverity
    remedy: str | Promise
    find: Find
    window: timedelta
    sample: int
    cool_down: timedelta
    every: timedelta
    has_mail: bool

    def look(self, *, at: datetime) -> dict[str, Trouble]:
        """What is wrong now, by its subject. No network in here: it is called inside a transaction."""
        return {trouble.subject: trouble for trouble in self.find(Look(at, self.window, self.sample))}


class WatchedTwice(RuntimeError):
    """Two rules have the same name."""


_rules: dict[str, Rule] = {}


def alert_rule(
    name: str, *, title: str | Promise, severity: AlertSeverity, remedy: str | Promise,
    window: timedelta = timedelta(hours=1), sample: int = 1, cool_down: timedelta = timedelta(minutes=30),
    every: timedelta = timedelta(0), has_mail: bool = True,
) -> Callable[[Find], Find]:  # fmt: skip
    """Register the decorated function: it yields what is wrong now, and nothing once all is well."""

    def register(find: Find) -> Find:
        if name in _rules:
            raise WatchedTwice(name)
        _rules[name] = Rule(name, title, severity, remedy, find, window, sample, cool_down, every, has_mail)
        return find

    return register


def all_rules() -> Iterator[Rule]:
    """Every rule, in the order in which they were registered."""
    yield from _rules.values()


def find_rule(name: str) -> Rule | None:
    """None: a later or an earlier version had it."""
    return _rules.get(name)
