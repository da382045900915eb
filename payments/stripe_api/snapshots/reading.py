"""Reads plain Stripe JSON of any API shape: strict where money depends on it, forgiving everywhere else."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from payments.facts import ObjectRefs, canonical_uuid

Json = Mapping[str, Any]

# What the columns for names hold; ours carry a prefix there (`registration:…`).
MAX_ID_LENGTH, MAX_NAME_LENGTH, MAX_WORD_LENGTH = 255, 240, 120
# Far above what Stripe accepts, and even the sum of thousands of such amounts still fits its column.
MAX_AMOUNT = 10**14
STRIPES_WORD = re.compile(r"[a-z_]{1,60}", re.ASCII)
POSITIVE = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)

# https://docs.stripe.com/api/payment_intents/object#payment_intent_object-status; old versions say "source".
INTENT_STATUSES = frozenset(
    {
        "canceled", "processing", "requires_action", "requires_capture", "requires_confirmation",
        "requires_payment_method", "requires_source", "requires_source_action", "succeeded",
    }
)  # fmt: skip


class MalformedObject(ValueError):
    """A Stripe object lacks something that money depends on, or tells it in a form that we do not know."""


@dataclass(frozen=True, slots=True)
class Money:
    """So much, in minor units of `currency`."""

    amount: int
    currency: str

    @classmethod
    def read(cls, source: Json, name: str) -> "Money":
        """The amount called `name` in the object's currency. Raises MalformedObject."""
        return cls(get_amount(source, name), get_currency(source))


def get_id(source: Json) -> str:
    """The object's own id. Raises MalformedObject."""
    if found := id_of(source.get("id")):
        return found
    raise MalformedObject(
        f"{_called(source)}: its id is {_described(source.get('id'))}, so nothing can be known by it."
    )


def get_amount(source: Json, name: str) -> int:
    """A whole amount in minor units, not negative. Raises MalformedObject."""
    value = source.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_AMOUNT:
        return value
    raise MalformedObject(f"{_called(source)}: {name} is {_described(value)}, not a whole amount in minor units.")


def get_sum(source: Json, name: str) -> int:
    """A whole sum in minor units; negative where money leaves. Raises MalformedObject."""
    value = source.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_AMOUNT:
        return value
    raise MalformedObject(f"{_called(source)}: {name} is {_described(value)}, not a whole sum in minor units.")


def get_moment(source: Json, name: str) -> datetime:
    """A Unix time as a moment. Raises MalformedObject."""
    if moment := find_moment(source, name):
        return moment
    raise MalformedObject(f"{_called(source)}: {name} is {_described(source.get(name))}, not a moment.")


def get_currency(source: Json) -> str:
    """The ISO code in lower case, as Stripe writes it. Raises MalformedObject."""
    value = source.get("currency")
    if isinstance(value, str) and re.fullmatch("[a-zA-Z]{3}", value):
        return value.lower()
    raise MalformedObject(f"{_called(source)}: currency is {_described(value)}, not a code of three letters.")


def get_word(source: Json, name: str) -> str:
    """A word that decides, such as a status; new words are no error. Raises MalformedObject without one."""
    if word := find_text(source, name, longest=MAX_WORD_LENGTH):
        return word
    raise MalformedObject(f"{_called(source)}: {name} is {_described(source.get(name))}, which says nothing.")


def find_known(source: Json, name: str, known: Collection[str]) -> str:
    """A word of those that we know; "" where none is told.

    Raises MalformedObject for any other: nobody may guess what a new word means for money.
    """
    word = find_text(source, name)
    if word and word not in known:
        told = f"“{word}”, which" if STRIPES_WORD.fullmatch(word) else "something that"
        raise MalformedObject(f"{_called(source)}: its {name} is {told} is unknown to us.")
    return word


def get_known(source: Json, name: str, known: Collection[str]) -> str:
    """The same of a word that must be there. Raises MalformedObject."""
    get_word(source, name)
    return find_known(source, name, known)


def read_intent_status(source: Json) -> str:
    """Stripe's word for a payment; "" where it tells none. Raises MalformedObject for a word that we do not know."""
    return find_known(source, "status", INTENT_STATUSES)


def id_of(value: object) -> str:
    """The id, whether Stripe sent the id alone, the object expanded, or nothing ("")."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and len(value) <= MAX_ID_LENGTH else ""


def find_text(source: Json, name: str, *, longest: int | None = None) -> str:
    """A text, cut to `longest`; "" for anything else."""
    value = source.get(name)
    return value.strip()[:longest] if isinstance(value, str) else ""


def find_moment(source: Json, name: str) -> datetime | None:
    """A Unix time as a moment; Stripe writes "never" as null or 0."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def find_object(source: Json, name: str) -> Json:
    """An inner object; an empty one where there is none (old versions wrote an empty list)."""
    value = source.get(name)
    return value if isinstance(value, Mapping) else {}


def find_rows(source: Json, name: str) -> list[Json]:
    """The rows of an inner list object, as far as Stripe included it."""
    rows = find_object(source, name).get("data")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def read_refs(source: Json, *, session: str = "", payment_intent: str = "", charge: str = "") -> ObjectRefs:
    """The names that an object goes by: Stripe's ids as given, ours from its metadata."""
    metadata = find_object(source, "metadata")
    return ObjectRefs(
        session=session,
        payment_intent=payment_intent,
        charge=charge,
        order=_our_name(metadata, "orderId"),
        registration=_our_name(metadata, "registrationId"),
        site=find_text(metadata, "site", longest=MAX_NAME_LENGTH),
        attempt=_find_number(metadata, "attempt"),
    )


def read_billing_refs(
    source: Json, *, subscription: str, customer: str, invoice: str = "", payment_intent: str = "", charge: str = ""
) -> ObjectRefs:
    """The names that a subscription or its invoice goes by. Its metadata names the order that began it."""
    return ObjectRefs(
        subscription=subscription,
        invoice=invoice,
        customer=customer,
        payment_intent=payment_intent,
        charge=charge,
        site=find_text(find_object(source, "metadata"), "site", longest=MAX_NAME_LENGTH),
    )


def find_uuid(source: Json, name: str) -> str:
    """A UUID as we write it; "" for anything else."""
    return canonical_uuid(find_text(source, name))


def _our_name(metadata: Json, name: str) -> str:
    """A name that we gave out. One too long to be ours is dropped, not cut: half a name may be another's."""
    value = find_text(metadata, name)
    return find_uuid(metadata, name) or (value if len(value) <= MAX_NAME_LENGTH else "")


def _find_number(metadata: Json, name: str) -> int | None:
    value = find_text(metadata, name)
    return int(value) if POSITIVE.fullmatch(value) else None


def _called(source: Json) -> str:
    """What people call the object in an error: its kind and id, as far as it tells them."""
    words = (find_text(source, "object", longest=40) or "Stripe object", id_of(source.get("id")))
    return " ".join(word for word in words if word)


def _described(value: object) -> str:
    """What stands where something else should: never its text, which might be personal."""
    if value is None:
        return "missing"
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_AMOUNT:
        return str(value)
    return f"of type {type(value).__name__}"
