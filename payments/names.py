"""Numbers and ids as people, other programs and Stripe's metadata write them: read here, in every spelling."""

import re
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

if TYPE_CHECKING:
    from payments.orders.models import Order

# The names of our own under which events find an order (payments.orders.models.Reference).
ORDER, REGISTRATION = "order:", "registration:"
# The kind of the effects that give money back.
REFUND_KIND = "refund"
# Stands in the ids of demo data where Stripe would have a number: it has never heard of them.
DEMO = "demo"
DEMO_ID = re.compile(rf"[a-z]+(_test|_live)?_{DEMO}", re.ASCII)
KEY = re.compile(r"[0-9]{1,18}", re.ASCII)


def read_number(text: str, *, prefix: str = "O") -> int | None:
    """ "O-000012" → 12, in any case and with any number of zeros; None if this is no such number."""
    match = re.fullmatch(rf"{prefix}-0*([1-9][0-9]{{0,17}})", text.strip(), re.IGNORECASE | re.ASCII)
    return int(match[1]) if match else None


def read_key(text: str) -> int | None:
    """ "12" → 12: a row by its bare number; None if this is none, or longer than any."""
    return int(text) if KEY.fullmatch(text) else None


def may_be_old_id(text: str) -> bool:
    """Whether another system may have called somebody or something so: neither an address nor a word."""
    return "@" not in text and any(letter.isdigit() for letter in text)


def read_uuid(text: str) -> UUID | None:
    """A public id in any spelling that people use; None if this is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def demo_id(prefix: str, name: object) -> str:
    """ "pi", 12 → "pi_demo12": the id of something at Stripe that is made up."""
    return f"{prefix}_{DEMO}{name}"


def is_demo(name: str) -> bool:
    """Whether the Stripe id is one of demo data."""
    return DEMO_ID.match(name) is not None


def order_called(text: str) -> Q | None:
    """The condition that finds an order by number or public id; None: neither."""
    if key := read_number(text):
        return Q(pk=key)
    public_id = read_uuid(text)
    return Q(public_id=public_id) if public_id else None


def registration_of(order: "Order") -> str:
    """The order's registration: our own public id, else the id of an old system, else ""."""
    names = order.references.filter(name__startswith=REGISTRATION).values_list("name", flat=True)
    ids = [name.removeprefix(REGISTRATION) for name in names]
    return min(ids, key=lambda each: (read_uuid(each) is None, each), default="")
