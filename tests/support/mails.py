"""What a mail says, for assertions on its meaning: subject, plain and HTML text, and the English left in it."""

import re
from functools import cache
from html.parser import HTMLParser

from django.conf import settings
from django.core import mail as post
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from config.catalogues import ROOT, load
from payments.effects.deliver import deliver_due
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from tests.support.factories import NOON

ADDRESS = re.compile(r"https?://\S+")
# What Stripe calls its own site in French.
STRIPES_DASHBOARD = re.compile(r"Dashboard (?:de )?Stripe")
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}")
WORD = re.compile(r"\w+")


def deliver(key: str, *, kind: str, order_id: int | None = None, **data: object) -> Effect:
    """Note one effect, deliver it, and return it as it is afterwards."""
    with transaction.atomic():
        enqueue([EffectRequest(key, kind, order_id, data)], at=NOON)
    deliver_due(at=NOON, limit=1)
    return Effect.objects.get(key=key)


def sent() -> EmailMultiAlternatives:
    """The only mail that was sent."""
    (message,) = post.outbox
    assert isinstance(message, EmailMultiAlternatives)
    return message


def html_of(message: EmailMultiAlternatives) -> str:
    """The HTML part as written."""
    return str(message.alternatives[0][0])


def leads_to(message: EmailMultiAlternatives, path: str) -> bool:
    """Whether both parts lead to this page of the site."""
    address = f"{settings.SITE_URL}{path}"
    return address in message.body.split() and f'href="{address}"' in html_of(message)


def read(message: EmailMultiAlternatives) -> list[str]:
    """The plain and the HTML part as a person reads them, on one line each, no-break spaces as spaces."""
    return [" ".join(text.split()) for text in (message.body, _Text.of(html_of(message)))]


def english_in(text: str) -> list[str]:
    """The English sources whose every word stands in the text although French has other words for it.

    Addresses are nobody's language.
    """
    text = STRIPES_DASHBOARD.sub("", ADDRESS.sub("", text))
    present = set(WORD.findall(text))
    likely = (piece for piece, words in _english_pieces().items() if words <= present)
    return sorted(piece for piece in likely if re.search(rf"\b{re.escape(piece)}(?!\w)", text))


@cache
def _english_pieces() -> dict[str, frozenset[str]]:
    """Each with its words; a single word that is French as well ("closes") tells nothing."""
    catalogue = load(ROOT / "locale/fr/LC_MESSAGES/django.po")
    french = set(WORD.findall(" ".join(str(message.string) for message in catalogue)))
    pieces = {
        piece.strip()
        for message in catalogue
        if message.id and isinstance(message.id, str) and message.id != message.string
        for piece in PLACEHOLDER.split(message.id)
    }
    return {piece: frozenset(WORD.findall(piece)) for piece in pieces if len(piece) > 3 and piece not in french}


class _Text(HTMLParser):
    """Collects what is shown; the title, the style sheet and tags are not."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        return " ".join(parser.words)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)
