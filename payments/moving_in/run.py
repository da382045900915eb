"""Takes a file in, chunk by chunk: each is kept as a whole or not at all, so that a run that was killed is run again.

A dry run is the same work in a transaction that is rolled back.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

import structlog
from django.db import DataError, IntegrityError, transaction

from payments.effects.enqueue import withheld
from payments.effects.mail import find_writer
from payments.locks import advisory_lock
from payments.moving_in.files import Row
from payments.moving_in.importers import Importer, Outcome, Result, Stopped
from payments.sql import kept_or_untold

log = structlog.get_logger(__name__)
LOCK = "moving in"
# How many rows of how many are done.
Show = Callable[[int, int], object]


class AlreadyMoving(RuntimeError):
    """Another import is under way."""


@dataclass(frozen=True, slots=True)
class MoveOptions:
    """`notify`: what the rows bring about is told to people, by mail."""

    at: datetime
    is_dry_run: bool = False
    notify: bool = False


@dataclass(slots=True)
class Report:
    """What became of each row so far. `stopped`: why it ended before the last one."""

    kind: str
    total: int
    is_dry_run: bool
    done: list[tuple[Row, Result]] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each outcome has."""
        found = Counter(result.outcome for _row, result in self.done)
        return {outcome.value: found[outcome] for outcome in Outcome}

    @property
    def is_clean(self) -> bool:
        """Every row was taken, or was there already."""
        return not self.stopped and not self.counts[Outcome.REFUSED]


def move_in(importer: Importer, rows: Sequence[Row], *, options: MoveOptions, report: Report, show: Show) -> None:
    """Take the rows, and write into the report as it goes, whatever ends it. Raises AlreadyMoving."""
    began = monotonic()
    with advisory_lock(LOCK, or_raise=AlreadyMoving("Another import is under way.")):
        try:
            with nullcontext() if options.notify else withheld(_is_mail):
                _move(importer, rows, options=options, report=report, show=show)
        except Stopped as why:
            report.stopped = str(why)
        finally:
            report.seconds = round(monotonic() - began, 1)
            log.info(
                "moving_in.done", kind=importer.kind, dry_run=report.is_dry_run, rows=report.total,
                seconds=report.seconds, stopped=report.stopped, **report.counts,
            )  # fmt: skip


def _is_mail(kind: str) -> bool:
    return find_writer(kind) is not None


def _move(importer: Importer, rows: Sequence[Row], *, options: MoveOptions, report: Report, show: Show) -> None:
    if not options.is_dry_run or importer.asks_stripe:
        _take_all(importer, rows, options=options, report=report, show=show)
        return
    # All of it, so that what comes later finds what came before; what it locks stays locked until the end.
    with kept_or_untold():
        _take_all(importer, rows, options=options, report=report, show=show)
        transaction.set_rollback(True)


def _take_all(importer: Importer, rows: Sequence[Row], *, options: MoveOptions, report: Report, show: Show) -> None:
    for chunk in (rows[n : n + importer.chunk] for n in range(0, len(rows), importer.chunk)):
        readable = [row for row in chunk if row.trouble is None]
        results = iter(_take(importer, readable, options=options))
        report.done += [(row, _refused(row) if row.trouble else next(results)) for row in chunk]
        show(len(report.done), report.total)


def _refused(row: Row) -> Result:
    assert row.trouble is not None
    return Result(Outcome.REFUSED, row.trouble.sentence, row.trouble.column)


def _take(importer: Importer, rows: Sequence[Row], *, options: MoveOptions) -> Iterator[Result]:
    """What the database refuses as a whole is taken row by row, so that one costs only itself."""
    if not rows:
        return
    try:
        with nullcontext() if importer.asks_stripe else kept_or_untold():
            results = importer.take(rows, at=options.at, is_dry_run=options.is_dry_run)
    except (IntegrityError, DataError) as error:
        log.warning("moving_in.refused", kind=importer.kind, rows=[row.number for row in rows], error=str(error))
        if len(rows) == 1:
            yield Result(Outcome.REFUSED, f"The database refuses it: {' '.join(str(error).split())}")
            return
        for row in rows:
            yield from _take(importer, [row], options=options)
        return
    yield from results
