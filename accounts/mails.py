"""The mails about an account and the one-time link in them: sent at once, because the link is a secret kept nowhere.

Nobody is greeted by name: anybody can sign up with somebody else's address, and put an advertisement for a name.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import User
from accounts.next_page import with_next
from config.counters import CountersDown, count

log = structlog.get_logger(__name__)
BLANK_LINES = re.compile(r"\n\s*\n")
# However many clients ask: nobody's mailbox is flooded through us.
MAX_MAILS_PER_WINDOW = 5
MAIL_COUNT_WINDOW = timedelta(hours=1)
# The logs know secrets by this word (config/logs.py), so they mask the token wherever somebody writes the address.
TOKEN_SEPARATOR = "_secret_"


class MailUnavailable(Exception):
    """The mail server did not take the mail; the text is the class of its error."""


class LinkTokens(PasswordResetTokenGenerator):
    """Who has the token may choose the password: once, within PASSWORD_RESET_TIMEOUT seconds.

    A sign-in or another address spends it, too.
    """

    key_salt = "accounts.link"

    def make_token(self, user: User) -> str:
        return super().make_token(user).replace("-", TOKEN_SEPARATOR)

    def check_token(self, user: User | None, token: str | None) -> bool:
        return super().check_token(user, (token or "").replace(TOKEN_SEPARATOR, "-"))

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.email_confirmed_at}{user.is_active}"


link_tokens = LinkTokens()


def write_link(
    *, email: str, language: str, at: datetime, is_signing_up: bool = False, next_path: str = ""
) -> None:  # fmt: skip
    """Send the link to the account of this address, or why there is none: exactly one mail in either case.

    So nobody can tell from outside which it was. `language` is for an address without an account; `next_path`: where on
    this site the link goes on to. Talks to the mail
    server: not to be called inside a transaction. Raises MailUnavailable.
    """
    if is_flooded(email, at=at):
        log.warning("account.mails_refused")
        return
    user = User.objects.filter(email=email).first()
    if user is None:
        link = f"{settings.SITE_URL}{with_next(reverse('sign-up'), next_path)}"
        send("account.none", to=email, language=language, context={"link": link})
    elif not user.is_active:
        send("account.closed", to=user.email, language=user.language, context={})
    else:
        _send_link(user, is_signing_up=is_signing_up, next_path=next_path)


def password_url(user: User, *, next_path: str = "") -> str:
    """Where the password is chosen, which also confirms the address: a secret between us and that mailbox."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("choose-password", args=[uid, link_tokens.make_token(user)])
    return f"{settings.SITE_URL}{with_next(path, next_path)}"


def send(kind: str, *, to: str, language: str, context: Mapping[str, object]) -> None:
    """Write to the address from the templates `email/<kind>.{subject.txt,txt,html}`. Raises MailUnavailable."""
    try:
        build(kind, to=to, language=language, context=context).send()
    except OSError as error:  # what smtplib raises is one, too
        raise MailUnavailable(type(error).__name__) from error


def build(kind: str, *, to: str, language: str, context: Mapping[str, object]) -> EmailMultiAlternatives:
    """The message, plain and HTML, in the reader's language."""
    context = {**context, "site": urlsplit(settings.SITE_URL).netloc}
    with translation.override(language):
        subject = _render(f"email/{kind}.subject.txt", context, escaped=False).strip()
        plain = BLANK_LINES.sub("\n\n", _render(f"email/{kind}.txt", context, escaped=False))
        html = _render(f"email/{kind}.html", {**context, "subject": subject}, escaped=True)
    message = EmailMultiAlternatives(
        subject=subject,
        body=plain.strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        # No out-of-office note shall answer a machine: RFC 3834.
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    return message


def _send_link(user: User, *, is_signing_up: bool, next_path: str) -> None:
    kind = "account.confirm" if user.is_sign_up_pending else "account.password"
    context = {
        "link": password_url(user, next_path=next_path),
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "is_signing_up": is_signing_up,
    }
    send(kind, to=user.email, language=user.language, context=context)
    log.info("account.link_sent", user=user.pk, kind=kind)


def is_flooded(email: str, *, at: datetime) -> bool:
    """Counted without keeping the address. Who cannot be counted is written to."""
    try:
        attempts = count(f"account.mail:{sha256(email.encode()).hexdigest()}", window=MAIL_COUNT_WINDOW, at=at)
    except CountersDown as down:
        log.error("account.counters_down", error=str(down))
        return False
    return attempts.number > MAX_MAILS_PER_WINDOW


def _render(name: str, context: Mapping[str, object], *, escaped: bool) -> str:
    return Engine.get_default().get_template(name).render(Context({**context}, autoescape=escaped))
