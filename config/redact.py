"""What never reaches a log line: secrets, signatures, payment methods and people's addresses become stars."""

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
MAX_DEPTH = 12
SECRET_FIELDS = frozenset(
    {
        *(
            "api_key",
            "apikey",
            "secret",
            "secret_key",
            "client_secret",
            "confirmation_secret",
            "webhook_secret",
        ),
        *("authorization", "http_authorization", "proxy_authorization", "passwd", "password", "token", "jwt"),
        *("signature", "stripe_signature", "http_stripe_signature", "payment_method"),
        *("cookie", "set_cookie", "http_cookie", "sessionid", "csrftoken"),
    }
)

_SECRETS = re.compile(
    r"""
      (?P<whsec>whsec_)[\w+/=*-]+
    | (?P<key>\b(?:sk|rk|pk)_[a-z]+_)[\w*]+
    | (?P<client>_secret_)(?!key\b)\w+
    | (?P<method>\bpm_)\w+
    | (?P<card>\b(?:card|src|tok|ba)_)(?=[a-z_]*[0-9A-Z])\w+
    | (?P<jwt>\beyJ)[\w-]{6,}(?:\.[\w-]*)*
    | (?P<signature>\bv[01]=)[^\s,'"]+
    | (?P<service>\bmk_[\w-]{8}_)[\w-]+
    | (?P<bearer>\b[Bb]earer\s)\s*[\w.~+/=-]+
    | (?P<basic>\b[Bb]asic\s)\s*[\w+/=-]{12,}
    | (?P<url>://)[^\s/@'"]+:[^\s/@'"]*(?=@)
    | (?P<named>(?i:\b(?:password|passwd|client_secret|authorization|signature|api_key)["']?\s?[=:]\s?))
      (?:"[^"]*"|'[^']*'|(?i:bearer\s|basic\s)?[^\s,;&)}\]]+)
    """,
    re.VERBOSE,
)
# The local part is bounded: an unbounded one would take a time that grows with the square of a long word.
_EMAIL = re.compile(r"([\w.+%'-])[\w.+%'-]{0,63}(?:@|%40)(?:[\w-]{1,63}\.)+(\w{2,24})")


def redact_text(text: str) -> str:
    """The text, masked wherever a form gives a secret away; an address keeps its first letter and its end."""
    text = _SECRETS.sub(_keep_the_prefix, text)
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(rf"\1{MASK}@{MASK}.\2", text)
    return text


def redact(value: Any, *, depth: int = 0) -> Any:
    """The same for any value, at any depth; what a renderer would spell out is spelled out here first."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {redact_text(str(key)): redact_field(key, item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth + 1) for item in value]
    return redact_text(repr(value) if isinstance(value, BaseException) else str(value))


def redact_field(name: object, value: Any, *, depth: int = 0) -> Any:
    """A named value: some names alone say that what they carry is nobody's business."""
    if value is None or isinstance(value, bool) or str(name).lower().replace("-", "_") not in SECRET_FIELDS:
        return redact(value, depth=depth)
    return MASK


def _keep_the_prefix(match: re.Match[str]) -> str:
    """`whsec_abc` → `whsec_***`: what kind of secret it was helps whoever reads the line."""
    return f"{match[match.lastgroup or 0]}{MASK}"
