"""What was done as a guest joins the account: each app says how, once the address is known to be the person's own."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from accounts.models import User

Joiner = Callable[[User, datetime], None]
_joiners: list[Joiner] = []


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
