"""Another e-mail address for an account: it counts once somebody has opened the link that was sent there."""

from datetime import datetime

import structlog
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.hooks import follow_account, join
from accounts.mails import is_flooded, send
from accounts.models import User

log = structlog.get_logger(__name__)
SALT = "accounts.new_address"


class AddressNotChanged(Exception):
    """The link is not good, or no longer, or the address has another account; nothing has happened."""


def ask_for_address(*, user: User, email: str, at: datetime) -> None:
    """Write to the new address: the link, or that it has an account already. Nobody else is told which.

    Talks to the mail server: not to be called inside a transaction. Raises MailUnavailable.
    """
    if is_flooded(email, at=at):
        log.warning("account.mails_refused")
        return
    if User.objects.filter(email=email).exists():
        send("account.address_taken", to=email, language=user.language, context={})
        return
    context = {"link": _link(user, email), "hours": settings.PASSWORD_RESET_TIMEOUT // 3600, "before": user.email}
    send("account.new_address", to=email, language=user.language, context=context)
    log.info("account.address_asked", user=user.pk)


def wanted_address(token: str) -> tuple[int, str]:
    """Whose address shall be which. Raises AddressNotChanged."""
    try:
        told = signing.loads(token, salt=SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
        return int(told["user"]), _still(told)
    except (signing.BadSignature, KeyError, ValueError) as error:
        raise AddressNotChanged from error


def change_address(*, token: str, at: datetime) -> User:
    """From now on the account is signed in to by this address, which is confirmed; the old one is told afterwards.

    What was done as a guest with the new address joins. Raises AddressNotChanged.
    """
    user_id, email = wanted_address(token)
    try:
        with transaction.atomic():
            user = User.objects.select_for_update(no_key=True).get(pk=user_id, is_active=True)
            before, user.email, user.email_confirmed_at = user.email, email, at
            user.save(update_fields=["email", "email_confirmed_at"])
            join(user, at=at)
            follow_account(user, at=at)
    except (User.DoesNotExist, IntegrityError) as error:
        raise AddressNotChanged from error
    log.info("account.address_changed", user=user.pk)
    send("account.address_changed", to=before, language=user.language, context={"after": email})
    return user


def _link(user: User, email: str) -> str:
    token = signing.dumps({"user": user.pk, "before": user.email, "after": email}, salt=SALT)
    return f"{settings.SITE_URL}{reverse('confirm-address', args=[token])}"


def _still(told: dict[str, str]) -> str:
    """The new address, while the account has the one from which it was asked: so a link works once."""
    if not User.objects.filter(pk=told["user"], email=told["before"], is_active=True).exists():
        raise AddressNotChanged
    return told["after"]
