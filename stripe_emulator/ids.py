"""Ids in the form of Stripe's: a prefix that tells the kind, then letters and digits at random."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, *, length: int = 24) -> str:
    """For example `new_id("cus_", length=14)`."""
    return prefix + random_text(length)


def random_text(length: int) -> str:
    """So many letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
