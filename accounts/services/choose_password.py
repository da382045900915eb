"""Sets the password by the link of a mail; whoever has the link reads mail there, so the address is confirmed."""

from datetime import datetime

import structlog
from django.db import transaction

from accounts.joining import join
from accounts.models import User
from accounts.tokens import link_tokens

log = structlog.get_logger(__name__)


class LinkSpent(Exception):
    """The link is not good, or no longer; nothing has happened."""


@transaction.atomic
def choose_password(*, user_id: int, token: str, password: str, at: datetime) -> User:
    """Set the password, confirm the address, and let what was done as a guest join. Raises LinkSpent.

    Of two browsers with the same link the row's lock lets one through.
    """
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id, is_active=True).first()
    if user is None or not link_tokens.check_token(user, token):
        raise LinkSpent
    user.set_password(password)
    user.email_confirmed_at = user.email_confirmed_at or at
    user.save(update_fields=["password", "email_confirmed_at"])
    join(user, at=at)
    log.info("account.password_chosen", user=user.pk)
    return user
