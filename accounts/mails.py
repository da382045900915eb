"""The mails about an account: written and sent at once, because their link is a secret that is kept nowhere.

Nobody is greeted by name: anybody can sign up with somebody else's address, and put an advertisement for a name.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine
from django.utils import translation

BLANK_LINES = re.compile(r"\n\s*\n")


class MailUnavailable(Exception):
    """The mail server did not take the mail; the text is the class of its error."""


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


def _render(name: str, context: Mapping[str, object], *, escaped: bool) -> str:
    return Engine.get_default().get_template(name).render(Context({**context}, autoescape=escaped))
