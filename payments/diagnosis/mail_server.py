"""Whether mail can be sent: the server is greeted and asked for nothing (NOOP); no mail leaves."""

from dataclasses import dataclass
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import get_connection

MAIL_SECONDS, ALL_IS_WELL = 3, 250


@dataclass(frozen=True, slots=True)
class MailServer:
    """How it is called, whether it is one (or a folder of files), and what it, or the network, says against us."""

    name: str
    is_real: bool = True
    trouble: str = ""


def ask_mail_server() -> MailServer:
    """Open a connection with our name and password, and close it. Raises nothing."""
    connection: Any = get_connection()
    if not hasattr(connection, "host"):  # by its class it would have to be loaded wherever this is
        return MailServer(settings.EMAIL_BACKEND.rpartition(".")[0], is_real=False)
    connection.timeout = MAIL_SECONDS
    name = f"{connection.host}:{connection.port}"
    try:
        status = _greet(connection)
    except (SMTPException, OSError) as error:
        return MailServer(name, trouble=_words_of(error))
    return MailServer(name, trouble="" if status == ALL_IS_WELL else str(status))


def _greet(connection: Any) -> int:
    """What the server answers to NOOP. Raises SMTPException, OSError."""
    connection.open()
    try:
        status, _words = connection.connection.noop()
    finally:
        connection.close()
    return int(status)


def _words_of(error: Exception) -> str:
    """The class and the status; what a server says may quote name and password."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
