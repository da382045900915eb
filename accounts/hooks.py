"""What the apps above add to an account: a section of its page, and what was done as a guest with its address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Section:
    """A part of `/account/`. The template finds the context as `section`."""

    title: str
    template: str
    context: Mapping[str, Any]


BuildSection = Callable[[User, datetime], Section]
Joiner = Callable[[User, datetime], None]
_section_builders: list[BuildSection] = []
_joiners: list[Joiner] = []


def account_section(build: BuildSection) -> BuildSection:
    """Register the decorated function; the sections stand in the order of the apps in INSTALLED_APPS."""
    _section_builders.append(build)
    return build


def sections_for(user: User, *, at: datetime) -> list[Section]:
    """What this person has, app by app."""
    return [build(user, at) for build in _section_builders]


def joins(joiner: Joiner) -> Joiner:
    """Register the decorated function: it gives the user what belongs to their address, and may be called again."""
    _joiners.append(joiner)
    return joiner


@transaction.atomic
def join(user: User, *, at: datetime) -> None:
    """Let every app bring what it has; nothing for an address that nobody has confirmed."""
    if user.email_confirmed_at:
        for joiner in _joiners:
            joiner(user, at)
