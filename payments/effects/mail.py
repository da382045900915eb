"""Mails: built from three templates (subject, plain, HTML) in the reader's language, sent one by one."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPServerDisconnected
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Model
from django.template import Context, Engine
from django.urls import reverse
from django.utils import translation
from django.utils.functional import lazy
from django.utils.text import slugify
from django.utils.translation import gettext_noop

from payments.effects.deliver import Deliver, OutcomeUnknown, Refused, Skip, delivers
from payments.effects.models import Effect
from payments.money import format_amount

# An amount for a mail's context: it finds its words when the mail is written, in the reader's language.
amount_in_words = lazy(format_amount, str)
BLANK_LINES = re.compile(r"\n\s*\n")
# The first code with which a mail server says no for good.
PERMANENT = 500
# The kinds that go to staff, of whom a site in development may have none.
ALERT = "alert."
NO_ADDRESS = gettext_noop("There is no address to write to.")
# Whoever has the address of a buyer's page may act as the buyer: of a link only the site is kept.
LINK = re.compile(r"(https?://[^/?#\s<>\"]+)[/?#][^\s<>\"]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file that goes along. `make`: its bytes, asked for only when the mail goes out."""

    name: str
    content_type: str
    make: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Mail:
    """What to write to whom: `context` fills the templates `email/<kind>.{subject.txt,txt,html}`."""

    to: tuple[str, ...]
    language: str
    context: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[MailFile, ...] = ()


Write = Callable[[Effect], Mail | Skip]
_writers: dict[str, Write] = {}


def mails(kind: str) -> Callable[[Write], Deliver]:
    """Register the decorated function as what writes the mails of this kind; they are sent for it."""

    def register(write: Write) -> Deliver:
        _writers[kind] = write

        @delivers(kind)
        @wraps(write)
        def deliver(effect: Effect) -> Skip | None:
            mail = write(effect)
            if isinstance(mail, Skip):
                return mail
            if not mail.to and kind.startswith(ALERT):
                return Skip(NO_ADDRESS)
            if not mail.to:
                # It may become known; until then somebody waits for this mail.
                raise Refused(NO_ADDRESS)
            message = build(mail, kind=kind, key=effect.key)
            for file in mail.files:
                message.attach(file.name, file.make(), file.content_type)
            effect.sent = as_sent(message)
            send(message)
            return None

        return deliver

    return register


def to_staff(context: Mapping[str, Any], *, page: Model | str) -> Mail:
    """An alert; `page`: the row whose page in the admin helps, or the path of another page there."""
    path = page if isinstance(page, str) else _admin_path(page)
    told = {**context, "admin_page": f"{settings.SITE_URL}{path}"}
    return Mail(to=tuple(settings.STRIPE_ALERT_EMAIL), language=settings.LANGUAGE_CODE, context=told)


def _admin_path(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def find_writer(kind: str) -> Write | None:
    """What writes the mails of this kind; None for what is no mail."""
    return _writers.get(kind)


def build(mail: Mail, *, kind: str, key: str) -> EmailMultiAlternatives:
    """The message, plain and HTML. `key` goes along, so that support finds the effect behind a mail."""
    with translation.override(mail.language or settings.LANGUAGE_CODE):
        subject = subject_of(mail, kind=kind)
        plain = BLANK_LINES.sub("\n\n", _render(f"email/{kind}.txt", mail.context, escaped=False))
        html = _render(f"email/{kind}.html", {**mail.context, "subject": subject}, escaped=True)
    message = EmailMultiAlternatives(
        subject=subject,
        body=plain.strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=list(mail.to),
        # No out-of-office note shall answer a machine: RFC 3834.
        headers={"X-Effect-Key": one_line(key), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    return message


def as_sent(message: EmailMessage) -> dict[str, Any]:
    """What is kept of a mail: to whom, subject and plain text, and nothing that opens something."""
    subject, text = (without_links(str(part)).replace("\0", "") for part in (message.subject, message.body))
    return {"to": list(message.to), "subject": subject, "text": text}


def without_links(text: str) -> str:
    """The text with every link cut to its site."""
    return LINK.sub(r"\1/…", text)


def subject_of(mail: Mail, *, kind: str) -> str:
    """Its subject, in its reader's language."""
    with translation.override(mail.language or settings.LANGUAGE_CODE):
        return one_line(_render(f"email/{kind}.subject.txt", mail.context, escaped=False))


def send(message: EmailMultiAlternatives) -> None:
    """Hand the message over, on a connection of its own. Raises OutcomeUnknown if that broke halfway.

    Any other error means that the message was refused: nothing has been sent. Raises Refused where it is for good.
    """
    connection = get_connection()
    connection.open()
    try:
        connection.send_messages([message])
    except SMTPServerDisconnected as error:
        raise OutcomeUnknown(str(error)) from error
    except SMTPException as error:
        if _is_for_good(error):
            raise Refused(_words_of(error)) from error
        raise  # the server has answered: not now
    except OSError as error:
        raise OutcomeUnknown(str(error)) from error
    finally:
        # The server has answered by now: whatever goes wrong with the farewell changes nothing.
        with suppress(OSError):
            connection.close()


def _is_for_good(error: SMTPException) -> bool:
    """An answer of the 5xx kind, for each recipient: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1"""
    answers = _answers(error)
    return bool(answers) and all(code >= PERMANENT for code, _words in answers)


def _words_of(error: SMTPException) -> str:
    """What the server says: "550 no such mailbox"."""
    return "; ".join(f"{code} {words}" for code, words in _answers(error))


def _answers(error: SMTPException) -> list[tuple[int, str]]:
    if isinstance(error, SMTPRecipientsRefused):
        told: list[tuple[int, bytes | str]] = [*error.recipients.values()]
    else:
        told = [(error.smtp_code, error.smtp_error)] if isinstance(error, SMTPResponseException) else []
    return [(code, words if isinstance(words, str) else words.decode("utf-8", "replace")) for code, words in told]


def one_line(text: str) -> str:
    """The text without line breaks and other control characters: fit for a header and for a greeting."""
    visible = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    # Only plain spaces: a no-break space keeps French punctuation on its line.
    return " ".join(word for word in visible.split(" ") if word)


def _render(name: str, context: Mapping[str, Any], *, escaped: bool) -> str:
    return Engine.get_default().get_template(name).render(Context({**context}, autoescape=escaped))


class EmailBackend(BaseEmailBackend):
    """Django's own file backend names files by memory address, which soon repeats: several mails share a file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            (folder / _name(message)).write_bytes(message.message().as_bytes())
        return len(email_messages)


def _name(message: EmailMessage) -> str:
    """By time first, so that the newest stands last."""
    about = slugify(message.extra_headers.get("X-Effect-Key", "").replace(".", "-").replace(":", "-"))[:80]
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{about or 'mail'}-{uuid4().hex[:6]}.eml"
