"""Finds an order under the names that people have in hand: its number or its public id."""

import re
from uuid import UUID

from django.db.models import Q

NUMBER = re.compile(r"O-0*([1-9]\d{0,17})", re.IGNORECASE)


def order_number(term: str) -> int | None:
    """The order that "O-000123" means; None if this is no order's number."""
    match = NUMBER.fullmatch(term)
    return int(match[1]) if match else None


def public_id(term: str) -> UUID | None:
    """A public id in any spelling; None if this is none."""
    try:
        return UUID(term)
    except ValueError:
        return None


def order_named(term: str, *, prefix: str = "") -> Q | None:
    """The condition that finds the order called so (`prefix`: the way to it, as "order__"). None: no order's name."""
    if number := order_number(term):
        return Q(**{f"{prefix}pk": number})
    if public := public_id(term):
        return Q(**{f"{prefix}public_id": public})
    return None
