"""Brings access rows in line with what their sources give: the only writer of accesses that follow a source."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from modules_access.models import AccessEnd, AccessType, ModuleAccess
from modules_access.wanted import Key, Wanted, key_of
from payments.sql import update_rows

log = structlog.get_logger(__name__)
SOURCES = {AccessType.PURCHASE: "order_id", AccessType.SUBSCRIPTION: "subscription_id", AccessType.TOKEN: "token_id"}
STATE = ("user_id", "module_id", "expires_at", "is_active", "ended_at", "ended_reason")


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one access: `before` and `after` are its columns by name, `before` empty for a new row."""

    access: ModuleAccess
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def word(self) -> str:
        """`created`, `withdrawn`, `given_back` or `moved`."""
        if not self.before:
            return "created"
        was, is_now = self.before["is_active"], self.after["is_active"]
        if was == is_now:
            return "moved"
        return "given_back" if is_now else "withdrawn"


def settle(wanted: Sequence[Wanted], rows: Mapping[Key, ModuleAccess], *, at: datetime) -> list[Change]:
    """Create what is missing and move what differs. `rows`: those there are, locked, as are their sources.

    What gives nothing and never did makes no row. Belongs in the caller's transaction.
    """
    moved = [change for each in wanted if (change := _change(each, rows.get(each.key), at=at))]
    ModuleAccess.objects.bulk_create([change.access for change in moved if not change.before])
    update_rows(
        ModuleAccess,
        [{"id": change.access.pk, "updated_at": at, **change.after} for change in moved if change.before],
    )
    for (source, word), count in Counter((change.access.access_type, change.word) for change in moved).items():
        log.info("access.settled", source=source, what=word, count=count)
    return moved


def differs(wanted: Wanted, row: ModuleAccess | None, *, at: datetime) -> bool:
    """Whether there is something to settle; moves nothing."""
    if row is None:
        return wanted.gives
    return state_of(wanted, row, at=at) != {name: getattr(row, name) for name in STATE}


def _change(wanted: Wanted, row: ModuleAccess | None, *, at: datetime) -> Change | None:
    if not differs(wanted, row, at=at):
        return None
    if row is None:
        return _new(wanted, at=at)
    before = {name: getattr(row, name) for name in STATE}
    after = state_of(wanted, row, at=at)
    for name, value in after.items():
        setattr(row, name, value)
    return Change(row, before, after)


def state_of(wanted: Wanted, row: ModuleAccess, *, at: datetime) -> dict[str, Any]:
    """The columns as they are to be. What staff said stays: taken back is taken back, an extension only adds."""
    why = AccessEnd.REVOKED if row.revoked_at else wanted.ended_reason
    expires_at = wanted.expires_at if wanted.gives else row.expires_at
    if wanted.gives and expires_at and row.extended_until:
        expires_at = max(expires_at, row.extended_until)
    ended_at = None if why == AccessEnd.NONE else row.ended_at or at
    return {
        "user_id": wanted.user_id, "module_id": wanted.module_id, "expires_at": expires_at,
        "is_active": why == AccessEnd.NONE, "ended_at": ended_at, "ended_reason": why,
    }  # fmt: skip


def _new(wanted: Wanted, *, at: datetime) -> Change:
    row = ModuleAccess(
        user_id=wanted.user_id, module_id=wanted.module_id, access_type=wanted.access_type,
        expires_at=wanted.expires_at, created_at=at, updated_at=at,
        **{SOURCES[AccessType(wanted.access_type)]: wanted.source_id},
    )  # fmt: skip
    return Change(row, {}, {name: getattr(row, name) for name in STATE})


def rows_by_key(rows: Iterable[ModuleAccess]) -> dict[Key, ModuleAccess]:
    """The rows by what gives them."""
    return {key_of(row): row for row in rows}
