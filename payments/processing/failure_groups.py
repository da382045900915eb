"""Events that fail in the same way, told as one: same type (and so the same handler), same error but for its ids."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from payments.ledger.models import HAS_FAILED, PaymentEvent

GROUP_CHARS, SENTENCE_CHARS = 16, 300
# More than that is told as "2000 and more": a page that lists fifty groups must cost little.
MAX_COUNT = 2_000
MAX_GROUPS = 50
FILLED_AT_ONCE = 1_000
UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
ADDRESS = re.compile(r"[^\s<>\"'“”]+@[^\s<>\"'“”]+")
STRIPE_ID = re.compile(
    r"\b(?:acct|card|ch|cs|cus|dp|du|evt|il|in|issfr|li|pi|plan|pm|po|price|prod|py|pyr|re|req|seti|si|src|sub|txn|we)"
    r"_\w+"
)
# Field names are quoted as well: these tell one error from another.
QUOTED = re.compile(r"'(?![a-z_]+')[^']*'|\"(?![a-z_]+\")[^\"]*\"|“(?![a-z_]+”)[^”]*”")
# Whatever has a digit in it: numbers, amounts, moments, hashes, hexadecimal addresses.
NUMBER = re.compile(r"\w*\d(?:[\w.,:+-]*\w)?")
ANYTHING = "#"


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """So many events (`dead` of them given up) that fail in the same way. `error`: as the latest one says it, English.

    `count` is MAX_COUNT where there are that many or more. `first_at`, `last_at`: when they happened at Stripe.
    `sample_event_id`: the first of them, with which a replay begins.
    """

    key: str
    type: str
    error_kind: str
    error: str
    count: int
    first_at: datetime
    last_at: datetime
    dead: int
    sample_event_id: int

    @property
    def has_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count >= MAX_COUNT


def group_of(event_type: str, error_kind: str, error: str) -> str:
    """The key of the group to which a failure belongs; 16 hexadecimal digits."""
    return sha256("\n".join((event_type, error_kind, sentence_of(error))).encode()).hexdigest()[:GROUP_CHARS]


def sentence_of(error: str) -> str:
    """The error without what differs from event to event: ids, addresses, numbers, moments, quoted values."""
    text = " ".join(error.split())
    for pattern in (UUID, ADDRESS, STRIPE_ID, QUOTED, NUMBER):
        text = pattern.sub(ANYTHING, text)
    return text[:SENTENCE_CHARS]


# From group to group by the index, so that a group of a million costs as much as one of MAX_COUNT.
EVERY_KEY = """
    WITH RECURSIVE keys(key, n) AS (
        (SELECT error_group, 1 FROM payments_paymentevent
         WHERE status IN ('FAILED', 'DEAD') AND error_group > '' ORDER BY error_group LIMIT 1)
        UNION ALL
        SELECT (SELECT e.error_group FROM payments_paymentevent e
                WHERE e.status IN ('FAILED', 'DEAD') AND e.error_group > keys.key ORDER BY e.error_group LIMIT 1),
               n + 1
        FROM keys WHERE keys.key IS NOT NULL AND n < %(limit)s
    )
"""
ONE_KEY = "WITH keys(key) AS (VALUES (%(key)s))"
ABOUT_KEYS = """
    SELECT keys.key, last.type, last.error_kind, last.error, counted.count, first.occurred_at, last.occurred_at,
           counted.dead, first.id
    FROM keys
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, count(*) FILTER (WHERE status = 'DEAD') AS dead FROM (
            SELECT status FROM payments_paymentevent
            WHERE status IN ('FAILED', 'DEAD') AND error_group = keys.key LIMIT %(most)s
        ) AS capped
    ) counted
    CROSS JOIN LATERAL (
        SELECT id, occurred_at FROM payments_paymentevent
        WHERE status IN ('FAILED', 'DEAD') AND error_group = keys.key ORDER BY occurred_at, id LIMIT 1
    ) first
    CROSS JOIN LATERAL (
        SELECT type, error_kind, error, occurred_at FROM payments_paymentevent
        WHERE status IN ('FAILED', 'DEAD') AND error_group = keys.key ORDER BY occurred_at DESC, id DESC LIMIT 1
    ) last
    WHERE keys.key IS NOT NULL
    ORDER BY counted.count DESC, last.occurred_at DESC
"""


# One event of each, so that the groups can be counted without reading them.
LATEST_OF_EACH = (
    EVERY_KEY.replace("%(limit)s", str(MAX_GROUPS))
    + """
    SELECT (SELECT e.id FROM payments_paymentevent e
            WHERE e.status IN ('FAILED', 'DEAD') AND e.error_group = keys.key
            ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1)
    FROM keys WHERE keys.key IS NOT NULL
"""
)


def latest_failures() -> QuerySet[PaymentEvent]:
    """The latest event of each group."""
    return PaymentEvent.objects.filter(pk__in=RawSQL(LATEST_OF_EACH, ()))


def failure_groups(*, limit: int = MAX_GROUPS) -> list[FailureGroup]:
    """The groups that there are now, the largest first; one query."""
    return _read(EVERY_KEY + ABOUT_KEYS, {"limit": limit, "most": MAX_COUNT})


def find_group(key: str) -> FailureGroup | None:
    """The group of this key; None where nothing fails so (any more)."""
    return next(iter(_read(ONE_KEY + ABOUT_KEYS, {"key": key, "most": MAX_COUNT})), None)


def _read(sql: str, values: dict[str, str | int]) -> list[FailureGroup]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [FailureGroup(*row) for row in cursor.fetchall()]


def fill_in_groups() -> int:
    """Give a group to failures that have none: older than the groups, or written by the version before. How many."""
    bare = PaymentEvent.objects.filter(HAS_FAILED, error_group="").order_by("occurred_at", "pk")
    groups = defaultdict[str, list[int]](list)
    for pk, *failure in bare.values_list("pk", "type", "error_kind", "error")[:FILLED_AT_ONCE]:
        groups[group_of(*failure)].append(pk)
    return sum(bare.order_by().filter(pk__in=ids).update(error_group=key) for key, ids in groups.items())
