"""The sections of `/account/`: each app tells the person what they have from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. The template finds the context as `section`."""

    title: str
    template: str
    context: Mapping[str, Any]


Tell = Callable[[User, datetime], Section]
_tellers: list[Tell] = []


def account_section(tell: Tell) -> Tell:
    """Register the decorated function; the sections stand in the order of the apps in INSTALLED_APPS."""
    _tellers.append(tell)
    return tell


def sections_for(user: User, *, at: datetime) -> list[Section]:
    """What this person has, app by app."""
    return [tell(user, at) for tell in _tellers]
