"""What a run costs: CPU of processes and of the database, memory; and what many runs say together.

Figures of one run mean little on a shared machine. Runs of all variants take turns (A B C, A B C, …), a run that was
not clean does not count, and two variants are compared within the same round only.
"""

import os
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Where they stand in /proc/PID/stat, behind the name: the parent; user and system time, its own and dead children's.
PARENT, TIMES = 1, slice(11, 15)

MAX_TROUBLE_LENGTH = 300

Figures = dict[str, float]


@dataclass(frozen=True)
class Size:
    """How much is measured in one run: seconds of deliveries, events queued, orders paid one by one and at once, events
    replayed.
    """

    seconds: float
    events: int
    orders: int
    burst: int
    bulk: int


FULL = Size(seconds=4.0, events=20_000, orders=400, burst=500, bulk=10_000)
# To see that all of it works; the figures say nothing.
QUICK = Size(seconds=0.5, events=240, orders=40, burst=40, bulk=200)


class NotClean(Exception):
    """The run happened, but not as it should have: the text says what differed."""


class NotMeasured(Exception):
    """There can be no run on this machine: the text says why."""


def cpu_seconds(*roots: int) -> float:
    """Of these processes, their descendants, and those of them that have ended and were waited for."""
    return sum(sum(map(int, _stat(pid)[TIMES])) for pid in family(*roots)) / TICKS_PER_SECOND


def family(*roots: int) -> list[int]:
    """These processes and their descendants, as they live now."""
    children = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*"):
        if stat := _stat(int(entry.name)):
            children[int(stat[PARENT])].append(int(entry.name))
    found = list(roots)
    for pid in found:
        found += children[pid]
    return found


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may contain anything; none of a process that has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def postgres() -> int:
    """The server process; its backends are its children."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    stat = _stat(backend)
    if not stat:
        raise SystemExit("The database must run on this machine: its CPU is measured too.")
    return int(stat[PARENT])


def megabytes(*pids: int) -> float:
    """Memory per process (PSS: what is shared counts by shares), the median of these."""
    return statistics.median(_pss_kilobytes(pid) / 1024 for pid in pids)


def _pss_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@dataclass
class Cost:
    """CPU seconds while something ran."""

    application: float = 0.0
    database: float = 0.0

    def per(self, count: int) -> Figures:
        """In microseconds of one event."""
        share = 1_000_000 / max(count, 1)
        return {"app_us": self.application * share, "db_us": self.database * share}


@contextmanager
def cost_of(*roots: int) -> Iterator[Cost]:
    """What these processes and the database use inside the block."""
    cost, server = Cost(), postgres()
    application, database = cpu_seconds(*roots), cpu_seconds(server)
    yield cost
    cost.application, cost.database = cpu_seconds(*roots) - application, cpu_seconds(server) - database


def marks(seconds: list[float]) -> Figures:
    """Median and 99th percentile, in milliseconds."""
    return {"p50": statistics.median(seconds) * 1000, "p99": statistics.quantiles(seconds, n=100)[98] * 1000}


@dataclass
class Series:
    """The runs of one variant, one a round; None: not clean. `trouble`: what was not."""

    runs: list[Figures | None] = field(default_factory=list)
    trouble: str = ""

    @property
    def clean(self) -> list[Figures]:
        return [run for run in self.runs if run is not None]

    def median(self, figure: str) -> float | None:
        """Of the clean runs; None without one."""
        values = [run[figure] for run in self.clean if figure in run]
        return statistics.median(values) if values else None

    def ratio(self, other: "Series", figure: str) -> float | None:
        """This one's figure over the other's, the median of the rounds in which both were clean."""
        rounds = [(mine, theirs) for mine, theirs in zip(self.runs, other.runs, strict=False) if mine and theirs]
        return statistics.median(mine[figure] / theirs[figure] for mine, theirs in rounds) if rounds else None


def in_rounds(
    variants: Mapping[str, Callable[[], Figures]], *, rounds: int, tell: Callable[[str], None]
) -> dict[str, Series]:
    """Run all variants in turn, so many times; what cannot be measured here is tried once."""
    found = {name: Series() for name in variants}
    for number in range(1, rounds + 1):
        for name, run in variants.items():
            if len(found[name].runs) == number - 1:
                tell(f"{number}/{rounds} {name}: {_run(run, found[name])}")
    return found


def _run(run: Callable[[], Figures], series: Series) -> str:
    """Once more. Returns what to tell of it."""
    try:
        figures = run()
    except NotMeasured as reason:
        series.trouble = f"not measured: {reason}"
    # A server that did not start, a wire that broke: the other variants go on.
    except (NotClean, AssertionError, OSError) as reason:
        series.runs.append(None)
        series.trouble = f"not clean: {str(reason).strip()[:MAX_TROUBLE_LENGTH] or type(reason).__name__}"
    else:
        series.runs.append(figures)
        return ", ".join(f"{name} {value:,.2f}" for name, value in figures.items())
    return series.trouble
