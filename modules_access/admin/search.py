"""Finds an access or a token under the names that people have in hand."""

import re
from uuid import UUID

from django.db.models import Q

NUMBER = re.compile(r"A-0*([1-9]\d{0,17})", re.IGNORECASE | re.ASCII)
TOKEN = re.compile(r"([0-9a-f]{8})…?", re.IGNORECASE)
FIRST, LAST = "0" * 24, "f" * 24


def access_number(term: str) -> int | None:
    """The access that "A-000123" means; None if this is no access's number."""
    match = NUMBER.fullmatch(term)
    return int(match[1]) if match else None


def token_named(term: str) -> Q | None:
    """The condition that finds the tokens which begin so, as they are shown. None: no token's name."""
    match = TOKEN.fullmatch(term)
    return Q(jti__range=(UUID(match[1] + FIRST), UUID(match[1] + LAST))) if match else None
