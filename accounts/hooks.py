"""What the apps above add to an account: a section of its page, and what was done as a guest with its address."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Ending(models.TextChoices):
    """What becomes of what somebody goes on paying for when their account is switched off."""

    NOW = "now", _("End it now")
    PERIOD = "period", _("End it with the period that is paid")
    LEAVE = "leave", _("Leave it as it is, as a question for staff")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of `/account/`. The template finds the context as `section`."""

    title: str
    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Individual:
    """Whom an export or an erasure is about: an account, or a guest of whom only the address is known."""

    email: str
    user: User | None

    @property
    def owned(self) -> models.Q:
        """Rows that have a `user` and an `email`."""
        return models.Q(email=self.email) | (models.Q(user=self.user) if self.user else models.Q(pk__in=()))


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure puts in the place of whom. `alias`: an address that nobody has; `words`: what must not be read
    any more, wherever it stands.
    """

    person: Individual
    alias: str
    words: frozenset[str]
    by: str
    reason: str
    at: datetime


class AccountExtension:
    """What one thing that is sold adds to an account; by default nothing."""

    def guests(self, addresses: Collection[str]) -> Collection[str]:
        """Of these addresses those of which it may have something for an account; asked before many join at once."""
        return ()

    def join_account(self, user: User, *, at: datetime) -> None:
        """Give the user what belongs to their confirmed address; may be called again."""

    def follow_account(self, user: User, *, at: datetime) -> None:
        """Bring others who know the person in line with their address, their name, and whether they may sign in."""

    def billed_to(self, user: User) -> Sequence[str]:
        """What the person goes on being billed for, in words."""
        return ()

    def end_billing(self, user: User, ending: Ending, *, by: str, at: datetime) -> None:
        """See to all that `billed_to` names."""

    def account_section(self, user: User, *, at: datetime) -> Section | None:
        """What this person has of it; None: no section."""
        return None

    # For the export and the erasure of one person's data (accounts/data_subject.py).

    def called(self, person: Individual) -> Iterable[str]:
        """Every name and address by which it knows the person."""
        return ()

    def known_of(self, person: Individual) -> Mapping[str, Any]:
        """Everything that it knows of them, for JSON; what it knows nothing of is left out."""
        return {}

    def under_way(self, person: Individual, *, at: datetime) -> Iterable[str]:
        """Why they cannot be erased yet, a sentence each: money or an access is under way."""
        return ()

    def forget(self, erasure: Erasure) -> Mapping[str, int]:
        """Take the person out of what must be kept, delete the rest. Returns how many of what; safe to call again."""
        return {}


_extensions: list[AccountExtension] = []


def extend_accounts(extension: AccountExtension) -> None:
    """Register it; sections stand in the order of the apps in INSTALLED_APPS."""
    _extensions.append(extension)


def sections_for(user: User, *, at: datetime) -> list[Section]:
    """What this person has, app by app."""
    sections = (extension.account_section(user, at=at) for extension in _extensions)
    return [section for section in sections if section]


def all_extensions() -> Sequence[AccountExtension]:
    """In the order of the apps."""
    return tuple(_extensions)


@transaction.atomic
def join(user: User, *, at: datetime) -> None:
    """Let every app bring what it has; nothing for an address that nobody has confirmed."""
    if user.email_confirmed_at:
        for extension in _extensions:
            extension.join_account(user, at=at)


@transaction.atomic
def join_all(users: Iterable[User], *, at: datetime) -> None:
    """As `join`, of many who are new: whoever was never here costs nothing."""
    by_address = {user.email: user for user in users}
    known = {address for extension in _extensions for address in extension.guests(by_address)}
    for address in sorted(known):
        join(by_address[address], at=at)


@transaction.atomic
def follow_account(user: User, *, at: datetime) -> None:
    """Let every app follow what has changed about the person; may be called again."""
    for extension in _extensions:
        extension.follow_account(user, at=at)


def billed_to(user: User) -> list[str]:
    """What the person goes on being billed for, app by app."""
    return [name for extension in _extensions for name in extension.billed_to(user)]


@transaction.atomic
def end_billing(user: User, ending: Ending, *, by: str, at: datetime) -> None:
    """Let every app see to what it goes on billing the person for."""
    for extension in _extensions:
        extension.end_billing(user, ending, by=by, at=at)
