"""The goals, the table that holds the measured figures against them, and the document that keeps it."""

import os
import platform
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import django
import psycopg
from django.db import connection
from django.utils import timezone

from benchmarks import batches, bulk, drain, footprint, fulfil, growth, ingest, seed
from benchmarks.measure import Series
from config.env import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
METHOD = Path(__file__).with_name("method.md")
Results = Mapping[str, Mapping[str, Series]]


@dataclass(frozen=True)
class Goal:
    """One line of the table: a figure of ours, alone or over another's, and what it should be."""

    what: str
    part: str
    figure: str
    ours: str
    bound: float
    peer: str = ""
    limit: str = ""
    is_most: bool = False

    @property
    def other(self) -> str:
        return self.peer or self.limit


GOALS = (
    Goal("ingest, DRF view", "ingest", "rate", ingest.DRF, 0.40, limit=ingest.LIMIT),
    Goal("ingest, DRF view", "ingest", "rate", ingest.DRF, 8, peer=ingest.TEXTBOOK),
    Goal("ingest, DRF view", "ingest", "rate", ingest.DRF, 25, peer=ingest.DJ_STRIPE),
    Goal("ingest, DRF view", "ingest", "rate", ingest.DRF, 6, peer=ingest.DJ_STRIPE_CALLBACK),
    Goal("ingest, group commit", "ingest", "rate", ingest.FAST, 1.0, limit=ingest.LIMIT),
    Goal("ingest, group commit", "ingest", "rate", ingest.FAST, 16, peer=ingest.TEXTBOOK),
    Goal("ingest, group commit", "ingest", "rate", ingest.FAST, 50, peer=ingest.DJ_STRIPE),
    Goal("ingest, group commit", "ingest", "rate", ingest.FAST, 15, peer=ingest.DJ_STRIPE_CALLBACK),
    Goal("drain, mixed events", "drain", "rate", drain.OURS, 15, peer=drain.TASKS),
    Goal("CPU of a batch of one", "batch", "batch_ms", batches.ONE, 5, is_most=True),
    Goal("CPU of a batch of a hundred", "batch", "batch_ms", batches.HUNDRED, 40, is_most=True),
    Goal("POST → PAID on an idle site, p50", "fulfil", "p50", fulfil.OURS, 0.5, peer=fulfil.TASKS, is_most=True),
    Goal("POST → PAID on an idle site, p99", "fulfil", "p99", fulfil.OURS, 0.5, peer=fulfil.TASKS, is_most=True),
    Goal("burst, until all are PAID", "burst", "all_paid", fulfil.OURS, 0.15, peer=fulfil.TASKS, is_most=True),
    Goal("replay of many, one process", "bulk", "rate", bulk.REPLAY, 0.8, peer=bulk.DRAIN),
    Goal("demo data, rows written", "seed", "rate", seed.COPY, 4, peer=seed.BULK_CREATE),
    Goal("two drain processes", "growth", "rate", growth.TWO, 1.5, peer=growth.ONE),
    Goal("the queue's last quarter ÷ its first", "growth", "last_first", growth.TWO, 1.0),
    Goal("one malformed event in each batch", "growth", "rate", growth.MALFORMED, 0.95, peer=growth.CLEAN),
    Goal("one that the database refuses", "growth", "rate", growth.REFUSED, 0.33, peer=growth.CLEAN),
    Goal("memory, web process", "memory", "megabytes", footprint.WEB, 60, is_most=True),
    Goal("memory, beat", "memory", "megabytes", footprint.BEAT, 40, is_most=True),
    Goal("start, manage.py check", "start", "seconds", footprint.CHECK, 0.8, is_most=True),
)
FORMS = {
    "rate": "{:,.0f}/s", "p50": "{:,.1f} ms", "p99": "{:,.1f} ms", "answered_p50": "{:,.1f} ms",
    "answered_p99": "{:,.1f} ms", "all_answered": "{:.2f} s", "all_paid": "{:.2f} s", "seconds": "{:.2f} s",
    "app_us": "{:,.0f} µs", "db_us": "{:,.0f} µs", "own_us": "{:,.0f} µs", "megabytes": "{:,.0f} MB",
    "last_first": "{:.2f}", "batch_ms": "{:,.1f} ms",
}  # fmt: skip
TITLES = {
    "rate": "events", "app_us": "CPU, application", "db_us": "CPU, database", "own_us": "CPU, generator",
    "megabytes": "memory per process", "answered_p50": "200 after, p50", "answered_p99": "200 after, p99",
    "all_answered": "all answered", "all_paid": "all PAID", "last_first": "last quarter ÷ first", "seconds": "takes",
    "batch_ms": "CPU of the worker",
}  # fmt: skip
PARTS = {
    "ingest": "Ingest: signed POST → committed row → 200",
    "drain": "Drain of a long queue, two processes",
    "batch": "One batch of the drain, without the mails",
    "fulfil": "POST → PAID, 40 a second on an idle site",
    "burst": "POST → PAID, all at once",
    "bulk": "Events processed for the first time and replayed, one process",
    "seed": "Demo registrations with all that belongs to them: rows by COPY beside bulk_create of the same",
    "growth": "Drain with a second process, and with what cannot be processed",
    "memory": "Memory",
    "start": "Start",
}


def goal_table(results: Results) -> str:
    """Ours beside peers and limits."""
    head = ("what", "ours", "peer", "limit", "ratio", "goal", "reached")
    return table(head, (_goal_line(goal, results.get(goal.part)) for goal in GOALS))


def _goal_line(goal: Goal, part: Mapping[str, Series] | None) -> Sequence[str]:
    aim = f"{'≤' if goal.is_most else '≥'} {goal.bound:g}{'' if goal.other else _unit(goal.figure)}"
    if part is None:
        return (goal.what, "not run", goal.peer or "–", goal.limit or "–", "–", aim, "–")
    mine, ratio, beside = part[goal.ours], None, ""
    if goal.other:
        other = part[goal.other]
        ratio, beside = mine.ratio(other, goal.figure), f"{goal.other}: {_figure(other, goal.figure)}"
    value = ratio if goal.other else mine.median(goal.figure)
    return (
        goal.what,
        _figure(mine, goal.figure),
        beside if goal.peer else "–",
        beside if goal.limit else "–",
        "–" if ratio is None else f"{ratio:.2f}",
        aim,
        "–" if value is None else _yes(value <= goal.bound if goal.is_most else value >= goal.bound),
    )


def _unit(figure: str) -> str:
    return FORMS[figure].rpartition("}")[2]


def _yes(is_reached: bool) -> str:
    return "**yes**" if is_reached else "no"


def _figure(series: Series, figure: str) -> str:
    """The median, or why there is none."""
    value = series.median(figure)
    return series.trouble if value is None else FORMS[figure].format(value)


def details(part: str, found: Mapping[str, Series]) -> str:
    """All figures of one part, a line for each variant."""
    clean = [run for series in found.values() for run in series.clean]
    figures = [name for name in FORMS if any(name in run for run in clean)]
    head = (PARTS[part], *(TITLES.get(name, name) for name in figures), "clean runs")
    lines = [(name, *_details_of(series, figures)) for name, series in found.items()]
    return table(head, lines)


def _details_of(series: Series, figures: Sequence[str]) -> Iterable[str]:
    for figure in figures:
        value = series.median(figure)
        yield FORMS[figure].format(value) if value is not None else "–"
    counted = f"{len(series.clean)} of {len(series.runs)}"
    yield "; ".join(filter(None, (counted if series.runs else "", series.trouble)))


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def write_document(results: Results, *, rounds: int) -> None:
    """Everything that was measured, with the method and the machine."""
    parts = "\n\n".join(details(name, found) for name, found in results.items())
    text = METHOD.read_text().format(
        date=f"{timezone.now():%Y-%m-%d}", rounds=rounds, machine=machine(), goals=goal_table(results), parts=parts
    )
    DOCUMENT.write_text(text)


def machine() -> str:
    """What the figures depend on."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
    versions = f"Python {platform.python_version()}, PostgreSQL {server.split()[0]}, Django {django.__version__}"
    disk = f"a `fdatasync` of 8 kB takes {sync_milliseconds():.2f} ms"
    return f"{os.cpu_count()} cores; {versions}, psycopg {psycopg.__version__}; {disk}"


def sync_milliseconds() -> float:
    """How long the disk takes to keep one page of PostgreSQL's, where the database lies too."""
    with tempfile.TemporaryFile() as file:
        return median(_sync(file.fileno()) for _time in range(200)) * 1000


def _sync(file: int) -> float:
    os.pwrite(file, os.urandom(8192), 0)
    began = time.perf_counter()
    os.fdatasync(file)
    return time.perf_counter() - began
