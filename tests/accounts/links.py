"""The link of a mail, as the person who gets it opens it."""

import re
from urllib.parse import urlsplit

from django.core import mail as post
from django.test import Client

from tests.support.mails import sent

NEW = "a-quite-new-password"


def path_in_mail() -> str:
    """The address in the only mail, without the site."""
    (url,) = re.findall(r"https?://\S+", str(sent().body))
    post.outbox.clear()
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def open_link(visitor: Client, path: str) -> str:
    """Follow the link as a browser does; returns where it stays."""
    return visitor.get(path, follow=True).request["PATH_INFO"]


def choose(visitor: Client, path: str, first: str = NEW, second: str = ""):
    """Open the link and choose the password there."""
    form = {"new_password1": first, "new_password2": second or first}
    return visitor.post(open_link(visitor, path), form)
