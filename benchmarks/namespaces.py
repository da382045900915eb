"""What it costs that web server, workers, Redis and PostgreSQL stand apart, each in a network namespace of its own;
beside the same site on one host, and once more with half a millisecond on the way to the database. And whether all adds
up where the database's cable is pulled.

`.venv/bin/python -m benchmarks.namespaces [--rounds 3] [--quick] [--only one two cut]`, as root on Linux. All run on
one PostgreSQL of their own, whatever DATABASE_URL says: together over its Unix socket, apart over TCP.
"""

import signal
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command

from benchmarks import drain, fulfil, ingest, namespaces_cut
from benchmarks.bench import leave as leave_by_signal
from benchmarks.bench import must_be_durable, say
from benchmarks.measure import FULL, QUICK, Figures, Series, Size, in_rounds
from benchmarks.namespaces_delay import TUN, long_way
from benchmarks.namespaces_net import NoNamespaces, database, hosts, inside, must_be_possible
from benchmarks.namespaces_sites import APART, TOGETHER, Layout, layouts, lead_here, paying_site, site, workers
from benchmarks.report import FORMS, TITLES, table
from benchmarks.sites import GROUP_COMMIT, ONE_BY_ONE
from config.command_line import at_least_one, leave
from payments import bell

DELAY_SECONDS = 0.0005
ROUND_TRIPS = 2_000
WRONG_MACHINE = 2  # the exit code
Results = Mapping[str, Mapping[str, Series]]


def round_trip(layout: Layout, _size: Size) -> Figures:
    """The smallest statement that there is, from where the web server is."""
    with inside(layout.web), psycopg.connect(layout.told["DATABASE_URL"], autocommit=True) as connection:
        began = time.perf_counter()
        for _time in range(ROUND_TRIPS):
            connection.execute("SELECT 1", prepare=True).fetchone()
    return {"us": (time.perf_counter() - began) / ROUND_TRIPS * 1_000_000}


def taking_in(layout: Layout, size: Size, *, way: dict[str, str]) -> Figures:
    """Deliveries as fast as they are answered."""
    return ingest.through_webhook(partial(site, layout=layout, way=way), seconds=size.seconds)


def draining(layout: Layout, size: Size, *, processes: int) -> Figures:
    """A long queue of mixed events."""
    return drain.measure(partial(workers, layout=layout, processes=processes), size.events)


def paying(layout: Layout, size: Size) -> Figures:
    """One order after the other, 40 a second."""
    return fulfil.measure(partial(paying_site, layout=layout), size.orders)


# By the word of the command line: what is measured, and by which of its figures it is told.
PARTS: dict[str, tuple[str, tuple[str, ...], Callable[[Layout, Size], Figures]]] = {
    "trip": ("one statement there and back", ("us",), round_trip),
    "group": ("ingest, group commit", ("rate", "app_us", "db_us"), partial(taking_in, way=GROUP_COMMIT)),
    "drf": ("ingest, DRF view", ("rate", "app_us", "db_us"), partial(taking_in, way=ONE_BY_ONE)),
    "one": ("drain, one worker", ("rate", "app_us", "db_us"), partial(draining, processes=1)),
    "two": ("drain, two workers", ("rate", "app_us", "db_us"), partial(draining, processes=2)),
    "paid": ("POST → PAID, 40/s", ("p50", "p99"), paying),
}
CUT = "cut"
TRIP_FORMS = {**FORMS, "us": "{:,.0f} µs"}
CUT_LINES = {
    "accepted": ("answers with 200, each with a row", "{:,.0f}"),
    "refused": ("answers with 500 or 503", "{:,.0f}"),
    "hung_up": ("connections closed without an answer", "{:,.0f}"),
    "longest": ("longest wait for an answer", "{:.2f} s"),
    "during": ("200s while the cable was out", "{:,.0f}"),
    "first": ("cable in again → first 200", "{:.2f} s"),
    "processed": ("last 200 → everything processed", "{:.2f} s"),
}
WHOLE, PULLED = "undisturbed", f"cable out for {namespaces_cut.CUT_SECONDS:.0f} s"


def main() -> None:
    """Measure, print; everything that was made for it is removed again, also after Ctrl-C."""
    options = read_options()
    signal.signal(signal.SIGTERM, leave_by_signal)
    try:
        must_be_possible()
        with hosts(), everything_apart() as found:
            settings.STRIPE_LIVEMODE = True  # as the servers are told
            run(options, found)
    except NoNamespaces as reason:
        leave([str(reason)], code=WRONG_MACHINE)
    except KeyboardInterrupt:
        leave(["Stopped; what was made is removed."], code=128 + signal.SIGINT)


def read_options() -> Namespace:
    """The command line."""
    parser = ArgumentParser(prog="python -m benchmarks.namespaces", description=__doc__)
    parser.add_argument("--rounds", type=at_least_one, default=3, help="how often each variant runs (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny runs: shows that it works, the figures say nothing")
    parts = [*PARTS, CUT]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, metavar="PART", help=", ".join(parts))
    return parser.parse_args()


@contextmanager
def everything_apart() -> Iterator[list[Layout]]:
    """The database on its host, ready, and the ways in which a site can stand around it."""
    way = long_way(seconds=DELAY_SECONDS) if TUN.exists() else nullcontext()
    with database() as server, way, tempfile.TemporaryDirectory() as place:
        lead_here(server.url)
        must_be_durable()
        call_command("migrate", verbosity=0)
        try:
            with layouts(Path(place), url=server.url) as found:
                yield found
        finally:
            bell.stop()


def run(options: Namespace, found: Sequence[Layout]) -> None:
    """All parts that are asked for, in rounds in which the layouts take turns."""
    size = QUICK if options.quick else replace(FULL, events=FULL.events // 2)
    results = {}
    for name in (name for name in PARTS if name in options.only):
        what, _figures, measure = PARTS[name]
        say(f"— {what}")
        variants = {layout.name: partial(measure, layout, size) for layout in found}
        results[name] = in_rounds(variants, rounds=options.rounds, tell=say)
    if results:
        say(f"\n{side_by_side(results)}\n")
    if CUT in options.only:
        say("— four hosts")
        apart = next(layout for layout in found if layout.name == APART)
        pay = partial(namespaces_cut.measure, apart, size.burst)
        variants = {WHOLE: partial(pay, is_cut=False), PULLED: partial(pay, is_cut=True)}
        say(f"\n{cut_table(in_rounds(variants, rounds=options.rounds, tell=say))}")


def side_by_side(results: Results) -> str:
    """Medians, and beside those of the other layouts their ratio to one host, within each round."""
    names = list(dict.fromkeys(name for part in results.values() for name in part))
    head = [
        "what",
        *(word for name in names for word in ([name] if name == TOGETHER else [name, "ratio"])),
        "clean runs",
    ]
    return table(head, (_line(part, figure, results[part]) for part in results for figure in PARTS[part][1]))


def _line(part: str, figure: str, found: Mapping[str, Series]) -> list[str]:
    words = [PARTS[part][0] + (f", {TITLES.get(figure, figure)}" if len(PARTS[part][1]) > 1 else "")]
    for name, series in found.items():
        value = series.median(figure)
        words.append(series.trouble if value is None else TRIP_FORMS[figure].format(value))
        if name != TOGETHER:
            ratio = series.ratio(found[TOGETHER], figure)
            words.append("–" if ratio is None else f"{ratio:.2f}")
    return [*words, "; ".join(_clean(series) for series in found.values())]


def _clean(series: Series) -> str:
    return f"{len(series.clean)} of {len(series.runs)}"


def cut_table(found: Mapping[str, Series]) -> str:
    """What senders saw, the medians."""
    lines = [
        [words, *(_or_dash(series.median(figure), form) for series in found.values())]
        for figure, (words, form) in CUT_LINES.items()
    ]
    lines.append(["clean runs", *(" ".join((_clean(series), series.trouble)).strip() for series in found.values())])
    return table(["four hosts", *found], lines)


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


if __name__ == "__main__":
    main()
