"""What of an event is not kept: secrets, links that open a payment, and text that no database can hold.

https://docs.stripe.com/api/payment_intents/object#payment_intent_object-client_secret
"""

import re
from typing import Any

MAX_DEPTH = 64
SECRETS = frozenset({"client_secret", "confirmation_secret"})
# Addresses of our own site, which open nothing at Stripe.
OUR_LINKS = frozenset({"success_url", "cancel_url", "return_url"})
_LINK = re.compile(r"\s*https?:", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class TooDeep(ValueError):
    """More levels than any Stripe object has: nothing that we would want to walk through."""


def scrub(value: Any, *, depth: int = 1) -> Any:
    """A copy of a JSON value that may be kept. NUL and half characters become U+FFFD. Raises TooDeep."""
    if isinstance(value, str):
        return storable(value)
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        raise TooDeep(f"more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {
            storable(name): scrub(item, depth=depth + 1)
            for name, item in value.items()
            if not opens_something(name, item)
        }
    if isinstance(value, list):
        return [scrub(item, depth=depth + 1) for item in value]
    return value


def opens_something(name: str, value: Any) -> bool:
    """Whether whoever has this value could act for the buyer with it."""
    if name in SECRETS:
        return True
    names_a_link = name == "url" or (name.endswith(("_url", "_pdf")) and name not in OUR_LINKS)
    return names_a_link and isinstance(value, str) and _LINK.match(value) is not None


def storable(text: str) -> str:
    """A buyer's odd text must not make money unstorable: PostgreSQL refuses NUL and half characters."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
