"""One line of a story: when, what happened in a sentence, what followed from it, and where to look for more."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Link = tuple[models.Model, str]


class Kind(models.TextChoices):
    """Who speaks or acts. Within one moment they stand in this order."""

    BUYER = "buyer", _("Buyer")
    STRIPE = "stripe", "Stripe"
    STAFF = "staff", pgettext_lazy("who did something", "Staff")
    SYSTEM = "system", _("This site")
    MESSAGE = "message", _("E-mail")
    ALERT = "alert", _("Alert to staff")
    QUESTION = "question", _("Question for staff")


RANKS = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Moment:
    """One line, in the language that is active when it is made.

    `followed`: further sentences, what changed because of it. `links`: rows that have a screen, and what they are
    called there. `by`: who did it, `detail`: why, or what else is known. `subject`, `text`: of a mail, as it was sent.
    `tells_of`: the models of whose rows it speaks ("payments.effect"), for screens that may not show them to everybody.
    """

    at: datetime
    kind: Kind
    sentence: str
    followed: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    by: str = ""
    detail: str = ""
    subject: str = ""
    text: str = ""
    tells_of: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[datetime, int]:
        """By which a story is sorted."""
        return self.at, RANKS[self.kind]

    @property
    def told(self) -> str:
        """What happened and what followed, in one paragraph."""
        return " ".join((self.sentence, *self.followed))

    @property
    def named(self) -> str:
        """What it can be looked up by: of a mail its subject, of an event its id."""
        return self.subject or ", ".join(text for _row, text in self.links)


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that somebody has, or had: a place, an access. `row`: what has a screen; `until`: until when, if known.

    `is_open`: whether it may be used. `source`: what it rests on, in words.
    """

    row: models.Model
    what: str
    state: str
    is_open: bool
    source: str
    until: datetime | None = None
