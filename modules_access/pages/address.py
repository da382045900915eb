"""Where modules are: only addresses to which a person, with a token in hand, may safely be led."""

import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

# What may stand in a Content-Security-Policy: no character in it could begin another rule.
HOST = re.compile(r"[a-z0-9_.-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?", re.ASCII)
PARAMETER = "token"


class NotReachable(Exception):
    """Nobody is led there; the text is the address."""


def with_token(url: str, token: str) -> str:
    """The address with the token in its query, where all else stays as it was. Raises NotReachable."""
    parts = _parts(url)
    kept = [each for each in parts.query.split("&") if each and each.partition("=")[0] != PARAMETER]
    return parts._replace(query="&".join([*kept, f"{PARAMETER}={token}"])).geturl()


def origin_of(url: str) -> str:
    """Scheme, host and port: "https://learn.example". Raises NotReachable."""
    parts = _parts(url)
    return f"{parts.scheme}://{parts.netloc}"


def find_origin(url: str) -> str | None:
    """The same; None where nobody is led."""
    try:
        return origin_of(url)
    except NotReachable:
        return None


def _parts(url: str) -> SplitResult:
    """http(s), in production https alone, as a token is not sent through the open; a name with accents as browsers
    send it."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.encode("idna").decode().lower()
    except ValueError as error:
        raise NotReachable(url) from error
    schemes = ("https",) if settings.PRODUCTION else ("http", "https")
    if parts.scheme not in schemes or not HOST.fullmatch(host):
        raise NotReachable(url)
    return parts._replace(netloc=host)
