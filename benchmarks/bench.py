"""`make bench`: the product beside its peers and the limit; prints the table and writes docs/benchmarks.md.

`.venv/bin/python -m benchmarks.bench [--rounds 3] [--quick] [--only ingest,drain]`
"""

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks import batches, bulk, drain, footprint, fulfil, growth, ingest, seed
from benchmarks.measure import FULL, QUICK, in_rounds
from benchmarks.report import DOCUMENT, details, goal_table, write_document
from config.command_line import at_least_one
from payments import bell

PARTS = {
    "ingest": ingest.variants,
    "drain": drain.variants,
    "batch": batches.variants,
    "fulfil": fulfil.one_by_one,
    "burst": fulfil.at_once,
    "bulk": bulk.variants,
    "seed": seed.variants,
    "growth": growth.variants,
    "memory": footprint.memory,
    "start": footprint.start,
}


def main() -> None:
    """Measure what is asked for. Only a whole run of full size is written down."""
    options = read_options()
    signal.signal(signal.SIGTERM, leave)  # so that all that was started is ended
    must_be_durable()
    call_command("migrate", verbosity=0)
    # As the servers are told: the events are of their mode.
    settings.STRIPE_LIVEMODE = True
    size = QUICK if options.quick else FULL
    results = {}
    try:
        for part in options.only:
            say(f"— {part}")
            results[part] = in_rounds(PARTS[part](size), rounds=options.rounds, tell=say)
            say(f"\n{details(part, results[part])}\n")
    finally:
        bell.stop()
    say(goal_table(results))
    if not options.quick and len(results) == len(PARTS):
        write_document(results, rounds=options.rounds)
        say(f"\nWritten to {DOCUMENT.name}")


def read_options() -> Namespace:
    """The command line."""
    parser = ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("--rounds", type=at_least_one, default=3, help="how often each variant runs (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny runs: shows that it works, the figures say nothing")
    parser.add_argument("--only", type=part_names, default=list(PARTS), metavar="PARTS", help=",".join(PARTS))
    return parser.parse_args()


def part_names(text: str) -> list[str]:
    """Names separated by commas."""
    names = text.split(",")
    if unknown := set(names) - set(PARTS):
        raise ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return names


def must_be_durable() -> None:
    """Ends the program on a server that says "committed" before the disk has it: its figures would be worth nothing."""
    with connection.cursor() as cursor:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            cursor.execute(f"SHOW {name}")
            if (value := cursor.fetchone()[0]) != "on":
                raise SystemExit(f"The server has {name}={value}. Without DATABASE_URL the benchmarks start their own.")


def say(text: str) -> None:
    print(text, flush=True)


def leave(sign: int, _frame: FrameType | None) -> None:
    sys.exit(128 + sign)


if __name__ == "__main__":
    main()
