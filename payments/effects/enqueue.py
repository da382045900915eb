"""The way into the transactional outbox: effects are stored with the change that asks for them, in one statement."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError
from django.utils.translation import gettext_noop
from structlog.contextvars import get_contextvars

from payments.effects.models import Effect
from payments.sql import known_about, prepared, to_json, watched
from payments.statuses import EffectStatus

# Skipped means never sent: if its state comes back, the effect is wanted after all. Of one that is being delivered
# at this moment only the date moves, which tells the deliverer to look again should it be about to skip.
INSERT = """
    INSERT INTO payments_effect AS known
        (key, kind, order_id, subscription_id, data, cause, status, not_before, attempts, outcome, delivered_at,
         created_at)
    SELECT key, kind, order_id, subscription_id, data, cause, status, not_before, 0, outcome, delivered_at, %(at)s
    FROM json_to_recordset(%(rows)s::json) AS r(
        key varchar, kind varchar, order_id bigint, subscription_id bigint, data jsonb, cause jsonb,
        status varchar, not_before timestamptz, outcome varchar, delivered_at timestamptz
    )
    ON CONFLICT (key) DO UPDATE SET
        not_before = excluded.not_before,
        data = excluded.data,
        cause = excluded.cause,
        attempts = CASE known.status WHEN %(skipped)s THEN 0 ELSE known.attempts END,
        outcome = CASE known.status WHEN %(skipped)s THEN excluded.outcome ELSE known.outcome END,
        delivered_at = CASE known.status WHEN %(skipped)s THEN excluded.delivered_at ELSE known.delivered_at END,
        status = CASE known.status WHEN %(skipped)s THEN excluded.status ELSE known.status END
    WHERE known.status IN (%(skipped)s, %(claimed)s)
    RETURNING key, status
"""


TOLD_BEFORE = gettext_noop("It was told by the system from which this was imported: nothing was sent.")
_withheld: ContextVar[Callable[[str], bool] | None] = ContextVar("withheld", default=None)


@contextmanager
def withheld(kinds: Callable[[str], bool]) -> Iterator[None]:
    """Effects of these kinds that are asked for inside count as done: somebody else has seen to them, long ago.

    They are kept, so that nothing that happens later sends them after all.
    """
    token = _withheld.set(kinds)
    try:
        yield
    finally:
        _withheld.reset(token)


NAMED_IN_LOG = ("stripe_event", "request_id", "registration", "stripe_subscription")


@dataclass(frozen=True, slots=True)
class EffectRequest:
    """One effect that a change asks for. The same key is delivered at most once, ever; `not_before` None = at once."""

    key: str
    kind: str
    order_id: int | None
    data: dict[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None
    subscription_id: int | None = None


@dataclass(frozen=True, slots=True)
class AskedEffect:
    """An effect that somebody saw being asked for. `known`: the one that its key has already, as it was before."""

    request: EffectRequest
    known: Effect | None


def enqueue(requests: Iterable[EffectRequest], *, at: datetime) -> list[str]:
    """Store the requests whose key is new or was skipped so far. Returns these keys, sorted.

    Belongs in the caller's transaction: a change and its effects are kept together or not at all.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("Effects are enqueued in the transaction of the change that asks for them.")
    wanted = {each.key: each for each in requests}
    if not wanted:
        return []
    if seen := watched():
        known = Effect.objects.in_bulk(list(wanted), field_name="key")
        seen.effects += [AskedEffect(wanted[key], known.get(key)) for key in wanted]
    # Sorted, so that two batches with the same keys wait for each other instead of locking each other out.
    rows = to_json([_row(wanted[key], at=at) for key in sorted(wanted)])
    words = {status.lower(): status for status in (EffectStatus.SKIPPED, EffectStatus.CLAIMED)}
    stored = prepared(INSERT, {"rows": rows, "at": at, **words})
    return sorted(key for key, status in stored if status == EffectStatus.PENDING)


def _row(wanted: EffectRequest, *, at: datetime) -> dict[str, Any]:
    is_told = _withheld.get()
    is_done = is_told is not None and is_told(wanted.kind)
    return {
        "key": wanted.key,
        "kind": wanted.kind,
        "order_id": wanted.order_id,
        "subscription_id": wanted.subscription_id,
        "data": wanted.data,
        "cause": _cause_of(wanted),
        "status": EffectStatus.DONE if is_done else EffectStatus.PENDING,
        "not_before": wanted.not_before or at,
        "outcome": TOLD_BEFORE if is_done else "",
        "delivered_at": at if is_done else None,
    }


def _cause_of(wanted: EffectRequest) -> dict[str, str]:
    """The event and the request that ask for it, and what it is about: the log lines of its delivery name them."""
    subjects = {"order": wanted.order_id, "subscription": wanted.subscription_id}
    known = {**get_contextvars(), **known_about(subjects)}
    return {name: known[name] for name in NAMED_IN_LOG if known.get(name)}
