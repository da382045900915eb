"""Makes demo data up to a size: what each app that sells has to make of it, one after the other; safe to run again.

An app takes part by a module `demo` in which it says `sells(Seller(…))`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from time import monotonic
from typing import Protocol

import structlog
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from payments.locks import advisory_lock
from payments.samples.crowd import Batch

log = structlog.get_logger(__name__)
LOCK = "demo data"


# How many orders of how many are kept.
Show = Callable[[int, int], object]


class Make(Protocol):
    """Make so many orders that began between these moments, in batches; yields after each one that is kept."""

    def __call__(self, *, count: int, since: datetime, at: datetime) -> Iterator[Batch]: ...


@dataclass(frozen=True, slots=True)
class Seller:
    """What one app makes. `share`: so many orders for each registration that is asked for; `count`: those there are."""

    name: str
    share: float
    count: Callable[[], int]
    make: Make


_sellers: dict[str, Seller] = {}


def sells(seller: Seller) -> None:
    """Let the app take part."""
    _sellers[seller.name] = seller


class AlreadySeeding(RuntimeError):
    """Another run is under way."""


@dataclass(slots=True)
class Report:
    """What a run has done so far: `found` and `made` by seller, `rows` by table. `missing`: what it was to make."""

    size: int
    found: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def seed(*, report: Report, since: datetime, at: datetime, show: Show) -> None:
    """Make what is missing of the size, and write it into the report as it goes, whatever ends it.

    Raises AlreadySeeding, NoneFree, NotTold.
    """
    began = monotonic()
    with advisory_lock(LOCK, or_raise=AlreadySeeding("Demo data is being made by another run.")):
        try:
            _seed(report, since=since, at=at, show=show)
            _analyze(report)
        finally:
            report.seconds = round(monotonic() - began, 1)
            log.info(
                "demo.seeded", size=report.size, seconds=report.seconds, found=report.found, made=dict(report.made),
                rows=report.rows.total(), tables=dict(report.rows.most_common()),
            )  # fmt: skip


def _seed(report: Report, *, since: datetime, at: datetime, show: Show) -> None:
    autodiscover_modules("demo")
    for seller in sorted(_sellers.values(), key=attrgetter("share"), reverse=True):
        report.found[seller.name] = seller.count()
        report.missing[seller.name] = max(0, round(report.size * seller.share) - report.found[seller.name])
    total = sum(report.missing.values())
    for name, count in report.missing.items():
        for orders, rows in _sellers[name].make(count=count, since=since, at=at) if count else ():
            report.made[name] += orders
            report.rows += rows
            show(report.made.total(), total)


def _analyze(report: Report) -> None:
    """The planner knows at once how large the tables have become."""
    if report.rows:
        tables = ", ".join(map(connection.ops.quote_name, sorted(report.rows)))
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")
