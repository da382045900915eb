"""The mails of the site as its readers have them: files in one folder, whichever process has sent them."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.support.processes import wait_until

LINK = re.compile(r"https?://\S+")


class Mailbox:
    """What was written to one address."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self._read: dict[Path, EmailMessage] = {}

    def subjects(self) -> list[str]:
        """Of every mail so far, the oldest first."""
        return [_subject(mail) for mail in self._mails()]

    def wait_for(self, subject: str) -> EmailMessage:
        """The only mail with this subject, as soon as it is there."""
        wait_until(lambda: subject in self.subjects(), seconds=60, or_show=self.subjects)
        [mail] = [mail for mail in self._mails() if _subject(mail) == subject]
        return mail

    def _mails(self) -> list[EmailMessage]:
        """A file is read once; one that is empty is being written."""
        for path in sorted(self.folder.glob("*.eml")):
            if path not in self._read and (text := path.read_bytes()):
                self._read[path] = message_from_bytes(text, _class=EmailMessage, policy=default)
        return [mail for mail in self._read.values() if mail["To"] == self.address]


def _subject(mail: EmailMessage) -> str:
    """A long one begins on a line of its own, behind a space."""
    return str(mail["Subject"]).strip(" ")


def links_in(mail: EmailMessage) -> list[str]:
    """The addresses in its plain part, in order."""
    body = mail.get_body(("plain",))
    assert body is not None
    return LINK.findall(body.get_content())
