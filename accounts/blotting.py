"""Rows as JSON for the person whom they are about; and names blotted out of rows that must stay."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import CharField, JSONField, Model, QuerySet, TextField

from accounts.personal import PERSONAL_KEYS
from accounts.trace import SECRET_FIELDS

BLOT = "[erased]"
# What an export leaves out beside passwords: how somebody else could get in, or act as them.
LEFT_OUT = SECRET_FIELDS | {"jti", "browser", "client", "params"}
# In Stripe's objects beside PERSONAL_KEYS: https://docs.stripe.com/api/invoices/object
PERSONAL_PREFIXES = ("customer_address", "customer_email", "customer_name", "customer_phone", "customer_shipping")
MORE_PERSONAL = frozenset({*PERSONAL_PREFIXES, "shipping", "shipping_details", "fingerprint", "ip_address"})
# Shorter names are parts of too many words.
WORD_MIN_CHARS = 3
BATCH_SIZE = 200


def told(row: Model, *, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """The row by the names of its columns; choices by their words, what it refers to by its key."""
    found: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        if field.attname in LEFT_OUT or field.attname in leave_out:
            continue
        value = getattr(row, field.attname)
        found[field.attname] = str(getattr(row, f"get_{field.name}_display")()) if field.choices else value
    return found


def all_told(rows: Iterable[Model], *, leave_out: Collection[str] = ()) -> list[dict[str, Any]]:
    """The same of several."""
    return [told(row, leave_out=leave_out) for row in rows]


def pattern_of(words: Collection[str]) -> re.Pattern[str] | None:
    """Finds these words as whole words, in any spelling of their letters; None: there is nothing to be found."""
    usable = sorted((word for word in words if len(word) >= WORD_MIN_CHARS), key=len, reverse=True)
    if not usable:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, usable)) + r")(?!\w)", re.IGNORECASE)


def blotted(value: Any, words: re.Pattern[str], *, personal_keys: bool = False) -> Any:
    """The value without the words. `personal_keys`: one of Stripe's objects, whose personal fields are emptied too."""
    if isinstance(value, str):
        return words.sub(BLOT, value)
    if isinstance(value, list):
        return [blotted(each, words, personal_keys=personal_keys) for each in value]
    if isinstance(value, Mapping):
        return {
            key: None
            if personal_keys and key in PERSONAL_KEYS | MORE_PERSONAL
            else blotted(each, words, personal_keys=personal_keys)
            for key, each in value.items()
        }
    return value


def blot_out(rows: QuerySet[Any], words: Collection[str], *, payload: str = "") -> int:
    """Blot the words out of every text of these rows, a few at a time. Returns how many rows had them.

    `payload`: a column with one of Stripe's objects.
    """
    if (pattern := pattern_of(words)) is None:
        return 0
    names = [
        field.attname
        for field in rows.model._meta.concrete_fields
        if isinstance(field, CharField | TextField | JSONField)
        and not (field.choices or field.unique or field.primary_key)
    ]
    last, count = None, 0
    while found := list((rows.filter(pk__gt=last) if last is not None else rows).order_by("pk")[:BATCH_SIZE]):
        changed = [row for row in found if _blot_row(row, names, pattern, payload)]
        if changed:
            rows.model._default_manager.bulk_update(changed, names)
        last, count = found[-1].pk, count + len(changed)
    return count


def _blot_row(row: Any, names: Iterable[str], words: re.Pattern[str], payload: str) -> bool:
    is_changed = False
    for name in names:
        before = getattr(row, name)
        after = blotted(before, words, personal_keys=name == payload)
        is_changed |= after != before
        setattr(row, name, after)
    return is_changed
