"""The life of an account: begun by signing up, confirmed by choosing the password, purged if that never happens."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import transaction

from accounts.hooks import follow_account, join
from accounts.mails import link_tokens
from accounts.models import User

log = structlog.get_logger(__name__)
UNCONFIRMED_ACCOUNT_LIFETIME = timedelta(days=30)


class LinkSpent(Exception):
    """The link is not good, or no longer; nothing has happened."""


@transaction.atomic
def sign_up(*, email: str, name: str, language: str, at: datetime) -> User:
    """The account of this address: a new one, or the one that is there; which of both, only that mailbox is told.

    One that is new has no password yet, so that nobody can sign in to it. Who signs up again before opening the link
    is called as they said last; any other account stays as it is.
    """
    details = {"name": name, "language": language}
    # Django's text for "no password" is another one each time.
    defaults = {**details, "password": make_password(None), "date_joined": at}
    user, is_new = User.objects.get_or_create(email=email, defaults=defaults)
    if is_new:
        log.info("account.begun", user=user.pk)
    elif user.is_sign_up_pending and user.is_active:
        User.objects.filter(pk=user.pk).update(**details)
        user.refresh_from_db()
    return user


@transaction.atomic
def choose_password(*, user_id: int, token: str, password: str, at: datetime) -> User:
    """Set the password, confirm the address, and let what was done as a guest join. Raises LinkSpent.

    Whoever has the link reads mail there, so the address is confirmed. Of two browsers with one link the row's lock
    lets one through.
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


@transaction.atomic
def change_details(*, user_id: int, details: Mapping[str, str], at: datetime) -> None:
    """Call the person what they say, in their language; whoever else knows them hears of it."""
    User.objects.filter(pk=user_id).update(**details)
    follow_account(User.objects.get(pk=user_id), at=at)


@transaction.atomic
def purge_accounts(*, at: datetime, dry_run: bool = False) -> int:
    """Delete customers who have neither a password nor a confirmed address for 30 days. Returns how many.

    Who has moved in from another system is none of them. `dry_run`: only count. The lock keeps a link that is opened
    at this moment from confirming an account that goes.
    """
    begun = User.objects.filter(
        email_confirmed_at=None, password__startswith=UNUSABLE_PASSWORD_PREFIX, is_staff=False, is_active=True,
        date_joined__lt=at - UNCONFIRMED_ACCOUNT_LIFETIME, external_id=None,
    )  # fmt: skip
    if dry_run:
        return begun.count()
    ids = list(begun.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    User.objects.filter(pk__in=ids).delete()
    log.info("account.purged", count=len(ids))
    return len(ids)
