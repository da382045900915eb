"""Walks all sources in chunks and puts right what differs: once at a time, whole chunks only, safe to run again."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from django.db import connection

from modules_access.repair.heal import Way, heal
from modules_access.repair.report import Report
from modules_access.repair.sources import ALL, Source

log = structlog.get_logger(__name__)
CHUNK = 1000
# Any number will do, as long as nothing else in the database locks it.
LOCK = 7_291_504_420
Progress = Callable[[int, int], None]


class AlreadyRepairing(RuntimeError):
    """Another repair is under way: it covers what this one would."""


def repair(
    *, at: datetime, dry_run: bool, by: Any, progress: Progress | None = None, report: Report | None = None
) -> Report:
    """Bring every access in line with what gives it. Not to be called inside a transaction of any length.

    `progress` is told how many sources were looked at, and of how many; `report`: one to fill, for who wants to have it
    should this be cut short, which leaves whole chunks. Raises AlreadyRepairing.
    """
    told = report or Report(at=at, dry_run=dry_run, by=str(by))
    way, began = Way(at, by, dry_run), time.perf_counter()
    with _alone():
        total = sum(source.rows().count() for source in ALL) if progress else 0
        for source in ALL:
            for rows in _chunks(source):
                _look(source, rows, way=way, report=told)
                told.seconds = time.perf_counter() - began
                if progress:
                    progress(told.looked.total(), max(total, told.looked.total()))
    told.seconds, told.is_whole = time.perf_counter() - began, True
    log.info(
        "access.repaired", by=str(by), dry_run=dry_run, looked=told.looked.total(), seconds=round(told.seconds, 2),
        **told.by_word(),
    )  # fmt: skip
    return told


def repair_only(chosen: Mapping[Source, Collection[int]], *, way: Way) -> Report:
    """The same for these sources, which somebody has looked at; whatever else is wrong stays."""
    report, began = Report(at=way.at, dry_run=way.dry_run, by=str(way.by)), time.perf_counter()
    for source, ids in chosen.items():
        report.looked[source.name] += len(ids)
        _heal(source, sorted(set(ids)), way=way, report=report)
    report.seconds, report.is_whole = time.perf_counter() - began, True
    log.info("access.repaired_by_hand", by=str(way.by), dry_run=way.dry_run, **report.by_word())
    return report


def _look(source: Source, rows: list[Any], *, way: Way, report: Report) -> None:
    """One chunk: compared without a lock; only what differs is locked, and worked out anew under the lock."""
    ids = sorted({*source.differing(rows, at=way.at)} - report.healed[source.owner])
    _heal(source, ids, way=way, report=report)
    report.looked[source.name] += len(rows)
    # What a dry run has shown of an order still differs when its token's turn comes.
    report.healed[source.owner].update(ids)


def _heal(source: Source, ids: Collection[int], *, way: Way, report: Report) -> None:
    if ids:
        found, mails = heal(source, ids, way=way)
        report.add(found, mails)


def _chunks(source: Source) -> Iterator[list[Any]]:
    """By id, so that each chunk costs the same however many there are."""
    last = 0
    while rows := list(source.rows().filter(**{f"{source.key}__gt": last}).order_by(source.key)[:CHUNK]):
        yield rows
        last = getattr(rows[-1], source.key)


@contextmanager
def _alone() -> Iterator[None]:
    """One repair at a time, on any number of machines; one that dies lets go with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRepairing("Another repair is under way.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
