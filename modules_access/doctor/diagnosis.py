"""What a diagnosis says: chains of links from the account to /encours, one chain for each source of an access."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.models import Module

ACCESS = "access"


class LinkState(StrEnum):
    """How one link is."""

    OK = "ok"
    BROKEN = "broken"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Link:
    """One link. `remedy`: what to do where it is broken; `command`: the same as a command; `about`: the row to open."""

    name: str
    state: LinkState
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""
    command: str = ""
    about: models.Model | None = None

    @property
    def is_broken(self) -> bool:
        """Nobody gets past it."""
        return self.state == LinkState.BROKEN

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        values = {"name": self.name, "state": str(self.state), "sentence": self.sentence, "facts": dict(self.facts)}
        return {**values, "remedy": self.remedy, "command": self.command}


@dataclass(frozen=True, slots=True)
class Chain:
    """All links of one source. `source` is what people call it; `repair`: the key by which a repair would heal it."""

    access_type: str
    source: str
    links: Sequence[Link]
    repair: str = ""

    @property
    def broken(self) -> Link | None:
        """The first broken link."""
        return next((link for link in self.links if link.is_broken), None)

    @property
    def is_repairable(self) -> bool:
        """Whether all holds up to an access that a repair puts right."""
        return bool(self.repair) and self.broken is not None and self.broken.name == ACCESS

    @property
    def strength(self) -> int:
        """How many links hold before one is broken."""
        return next((number for number, link in enumerate(self.links) if link.is_broken), len(self.links))

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        broken = self.broken
        return {
            "type": self.access_type, "source": self.source, "broken": broken.name if broken else None,
            "repairable": bool(self.repair), "links": [link.as_dict() for link in self.links],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One person and one module (None: there is none that they have anything to do with), by all that gives access."""

    who: str
    user: User | None
    module: Module | None
    chains: Sequence[Chain]

    @property
    def best(self) -> Chain:
        """The chain that holds; else one that a repair makes hold; else the one that breaks last."""
        return max(self.chains, key=lambda chain: (chain.broken is None, chain.is_repairable, chain.strength))

    @property
    def is_fine(self) -> bool:
        """Whether something lets the person in, and rightly."""
        return self.best.broken is None

    @property
    def repairs(self) -> list[str]:
        """The keys of what a repair would heal."""
        return list(dict.fromkeys(chain.repair for chain in self.chains if chain.repair))

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        broken = self.best.broken
        return {
            "person": self.who, "module": self.module.slug if self.module else None, "lets_in": self.is_fine,
            "first_broken": broken.as_dict() if broken else None,
            "chains": [chain.as_dict() for chain in self.chains],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer, module by module."""

    at: datetime
    verdicts: Sequence[Conclusion]

    @property
    def is_fine(self) -> bool:
        """Whether everything that was asked about lets in."""
        return all(verdict.is_fine for verdict in self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"at": self.at, "lets_in": self.is_fine, "modules": [each.as_dict() for each in self.verdicts]}


def fine(name: str, sentence: str, *, about: models.Model | None = None, **facts: Any) -> Link:
    """A link that holds."""
    return Link(name, LinkState.OK, sentence, facts, about=about)


def not_needed(name: str, sentence: str) -> Link:
    """A link that this chain does without."""
    return Link(name, LinkState.NOT_NEEDED, sentence)


def broken(
    name: str, sentence: str, *, remedy: str, command: str = "", about: models.Model | None = None, **facts: Any
) -> Link:
    """A link that does not hold, and what to do about it."""
    return Link(name, LinkState.BROKEN, sentence, facts, remedy, command, about)


def format_moment(when: datetime) -> str:
    """A date in the site's time zone; in a sentence in brackets, since in English it may end with a full stop."""
    return date_format(localtime(when), "DATETIME_FORMAT")


def format_end(when: datetime | None) -> str:
    """How long something lasts."""
    return _("until %s") % format_moment(when) if when else _("no end date")


def comma_separated(items: Iterable[object]) -> str:
    """Several things in a sentence."""
    return ", ".join(map(str, items))
