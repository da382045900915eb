"""Benchmarks: no tests. Importing the package sets Django up on the database that DATABASE_URL names; without one, on
a PostgreSQL server of our own that is thrown away afterwards, but writes as carefully as production's.
"""

import atexit
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import django

from config.command_line import at_least_one
from config.devdb.machine import Owner, find_binaries, temporary_place
from config.devdb.server import Server


@contextmanager
def durable_server() -> Iterator[Server]:
    """A server in a temporary place. Unlike that of the tests it waits for the disk at each commit."""
    with temporary_place(Owner.current()) as place:
        server = Server(place, *find_binaries(place), lasting=True)
        try:
            server.start(tied=True)
            yield server
        finally:
            server.stop()


# None: somebody named another one.
own_server: Server | None = None
if not os.environ.get("DATABASE_URL"):
    _server = ExitStack()
    atexit.register(_server.close)
    own_server = _server.enter_context(durable_server())
    os.environ["DATABASE_URL"] = own_server.url
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
# What a benchmark does in its own process is no news; the servers that it starts are told their level.
os.environ.setdefault("LOG_LEVEL", "ERROR")
django.setup()


def how_many(name: str, *, default: int) -> int:
    """The one number that a benchmark takes, from its command line."""
    parser = ArgumentParser()
    parser.add_argument("count", metavar=name, nargs="?", type=at_least_one, default=default, help="(%(default)s)")
    return int(parser.parse_args().count)
