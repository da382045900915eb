"""The same site on one host and spread over several, all on one database: who runs where, and what each is told."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from benchmarks.drain import Workers
from benchmarks.namespaces_delay import TUN
from benchmarks.namespaces_net import DATABASE, FAR, NEAR, REDIS, address_of, inside, redis
from benchmarks.sites import GROUP_COMMIT, PRODUCTION, Site, broker, ours
from config.devdb.server import DATABASE as NAME
from config.devdb.server import SUPERUSER
from config.env import env
from payments import bell
from tests.support.processes import running_worker


@dataclass(frozen=True)
class Layout:
    """The hosts of web server and workers, "": on the machine itself; and what these are told of database and Redis."""

    name: str
    web: str
    workers: tuple[str, str]
    told: Mapping[str, str]


TOGETHER, APART, FAR_APART = "one host", "apart", "apart, 0.5 ms"


@contextmanager
def layouts(place: Path, *, url: str) -> Iterator[list[Layout]]:
    """What is compared. `url`: leads to the database by its Unix socket. Redis runs on each side, to be fair."""
    with ExitStack() as stack:
        for folder in ("near", "far"):
            (place / folder).mkdir()
        _server, beside = stack.enter_context(broker(place / "near"))
        there = stack.enter_context(redis(place / "far", host=REDIS))
        hosts = ("web1", ("worker1", "worker2"))
        found = [
            Layout(TOGETHER, "", ("", ""), {"DATABASE_URL": url, "REDIS_URL": beside}),
            Layout(APART, *hosts, {"DATABASE_URL": _over(NEAR), "REDIS_URL": there}),
        ]
        if TUN.exists():
            found.append(Layout(FAR_APART, *hosts, {"DATABASE_URL": _over(FAR), "REDIS_URL": there}))
        yield found


def _over(network: str) -> str:
    return f"postgres://{SUPERUSER}@{address_of(DATABASE, network=network)}/{NAME}"


def lead_here(url: str) -> None:
    """From now on this process looks on there, and what it starts is told so unless it is told otherwise."""
    connection.close()
    os.environ["DATABASE_URL"] = url
    found = env.db("DATABASE_URL")
    found["OPTIONS"] = {**settings.DATABASES["default"]["OPTIONS"], **found["OPTIONS"]}
    connection.settings_dict.update(found)


@contextmanager
def site(place: Path, layout: Layout, way: dict[str, str]) -> Iterator[Site]:
    """The web server on its host; whoever sends to it is there meanwhile, as a proxy would be."""
    with inside(layout.web), ours(place, {**way, **layout.told}) as found:
        yield found


@contextmanager
def workers(place: Path, layout: Layout, *, processes: int) -> Iterator[Workers]:
    """So many workers, each on its host."""
    with ExitStack() as stack:
        found = []
        for host in layout.workers[:processes]:
            folder = place / f"worker{len(found)}"
            folder.mkdir()
            told = {**PRODUCTION, **layout.told}
            with inside(host):
                found.append(stack.enter_context(running_worker(folder, broker=layout.told["REDIS_URL"], **told)))
            found[-1].wait_for("delivery.listening")
        yield Workers(found, begin=bell.ring)


@contextmanager
def paying_site(place: Path, layout: Layout) -> Iterator[Site]:
    """Web server and one worker."""
    with site(place, layout, GROUP_COMMIT) as found, workers(place, layout, processes=1):
        yield found
