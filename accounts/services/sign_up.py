"""Makes the account of an address, or finds the one that is there: which of both, only that mailbox is told."""

from datetime import datetime

import structlog
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import User

log = structlog.get_logger(__name__)


@transaction.atomic
def sign_up(*, email: str, name: str, language: str, at: datetime) -> User:
    """The account of this address. One that is new has no password yet, so that nobody can sign in to it.

    Who signs up again before opening the link is called as they said last; any other account stays as it is.
    """
    told = {"name": name, "language": language}
    # Django's word for "no password" is another one each time.
    new = {**told, "password": make_password(None), "date_joined": at}
    user, is_new = User.objects.get_or_create(email=email, defaults=new)
    if is_new:
        log.info("account.begun", user=user.pk)
    elif user.is_begun_only and user.is_active:
        User.objects.filter(pk=user.pk).update(**told)
        user.refresh_from_db()
    return user
