"""A mail backend for development: every message becomes a file that a mail program opens, named by what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.text import slugify


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
