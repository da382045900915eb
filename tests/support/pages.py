"""What a visitor reads on a page, for assertions on its meaning."""

import re
from html import unescape

from django.http import HttpResponse

NOT_SHOWN = re.compile(r"<(head|script|style)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


def text_of(response: HttpResponse) -> str:
    """The words of the page on one line, no-break spaces as spaces."""
    return " ".join(unescape(TAG.sub(" ", NOT_SHOWN.sub(" ", response.content.decode()))).split())
