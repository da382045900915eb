"""What the apps above add to an account: a section of its page, and what was done as a guest with its address."""

from collections.abc import Mapping
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


class AccountExtension:
    """What one thing that is sold adds to an account; by default nothing."""

    def join_account(self, user: User, *, at: datetime) -> None:
        """Give the user what belongs to their confirmed address; may be called again."""

    def account_section(self, user: User, *, at: datetime) -> Section | None:
        """What this person has of it; None: no section."""
        return None


_extensions: list[AccountExtension] = []


def extend_accounts(extension: AccountExtension) -> None:
    """Register it; sections stand in the order of the apps in INSTALLED_APPS."""
    _extensions.append(extension)


def sections_for(user: User, *, at: datetime) -> list[Section]:
    """What this person has, app by app."""
    sections = (extension.account_section(user, at=at) for extension in _extensions)
    return [section for section in sections if section]


@transaction.atomic
def join(user: User, *, at: datetime) -> None:
    """Let every app bring what it has; nothing for an address that nobody has confirmed."""
    if user.email_confirmed_at:
        for extension in _extensions:
            extension.join_account(user, at=at)
