"""Writes to an address that asked for it: with the link to its account, or why there is none."""

from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from django.conf import settings

from accounts.links import password_url, sign_up_url
from accounts.mails import send
from accounts.models import User
from config.counters import CountersDown, count

log = structlog.get_logger(__name__)
# However many clients ask: nobody's mailbox is flooded through us.
MOST_MAILS = 5
WINDOW = timedelta(hours=1)


def write_link(*, email: str, language: str, at: datetime, is_signing_up: bool = False) -> None:
    """Send exactly one mail, whether or not there is an account: so nobody can tell from outside which it was.

    `language` is for an address without an account. Talks to the mail server: not to be called inside a transaction.
    Raises MailUnavailable.
    """
    if _is_enough(email, at=at):
        log.warning("account.mails_refused")
        return
    user = User.objects.filter(email=email).first()
    if user is None:
        send("account.none", to=email, language=language, context={"link": sign_up_url()})
    elif not user.is_active:
        send("account.closed", to=user.email, language=user.language, context={})
    else:
        _send_link(user, is_signing_up=is_signing_up)


def _send_link(user: User, *, is_signing_up: bool) -> None:
    kind = "account.confirm" if user.is_begun_only else "account.password"
    context = {
        "link": password_url(user),
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "is_signing_up": is_signing_up,
    }
    send(kind, to=user.email, language=user.language, context=context)
    log.info("account.link_sent", user=user.pk, kind=kind)


def _is_enough(email: str, *, at: datetime) -> bool:
    """Counted without keeping the address. Who cannot be counted is written to."""
    try:
        tries = count(f"account.mail:{sha256(email.encode()).hexdigest()}", window=WINDOW, at=at)
    except CountersDown as down:
        log.error("account.counters_down", error=str(down))
        return False
    return tries.number > MOST_MAILS
