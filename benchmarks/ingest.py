"""How many deliveries a webhook takes: signed request in, committed row, 200 out; beside what the database can do."""

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.load import CONNECTIONS, Sent, deliveries, send
from benchmarks.measure import Figures, NotClean, Size, cost_of, marks, megabytes
from benchmarks.peers import psycopg_insert
from benchmarks.sites import GROUP_COMMIT, ONE_BY_ONE, SECRET, Site, address, dj_stripe, our_database, ours, textbook

FIRST_REQUESTS, WARM_UP_SECONDS, WARM_UP_REQUESTS = 8 * CONNECTIONS, 1.0, 6_000
TABLE = "payments_paymentevent"
DRF, FAST, TEXTBOOK = "DRF view", "group commit", "textbook"
DJ_STRIPE, DJ_STRIPE_CALLBACK = "dj-stripe, full", "dj-stripe, callback"
INSERT, LIMIT = "psycopg INSERT × 1", "psycopg INSERT × 4"
Open = Callable[[Path], AbstractContextManager[Site]]


def variants(size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side."""
    webhooks: dict[str, Open] = {
        DRF: partial(ours, way=ONE_BY_ONE),
        FAST: partial(ours, way=GROUP_COMMIT),
        TEXTBOOK: textbook,
        DJ_STRIPE: partial(dj_stripe, calls_back=False),
        DJ_STRIPE_CALLBACK: partial(dj_stripe, calls_back=True),
    }
    return {
        INSERT: partial(through_psycopg, 1, seconds=size.seconds),
        LIMIT: partial(through_psycopg, 4, seconds=size.seconds),
        **{name: partial(through_webhook, site, seconds=size.seconds) for name, site in webhooks.items()},
    }


def through_webhook(start: Open, *, seconds: float) -> Figures:
    """Start the site, warm it up, empty its tables and send as fast as it answers."""
    with tempfile.TemporaryDirectory() as place, start(Path(place)) as site:
        prepared = partial(deliveries, path=site.path, secret=SECRET)
        send(site.port, prepared(FIRST_REQUESTS))
        warm = send(site.port, prepared(WARM_UP_REQUESTS), seconds=WARM_UP_SECONDS)
        requests = prepared(round(warm.rate * seconds * 1.5) + 100)
        empty(site.database, *site.tables)
        own = time.process_time()
        with cost_of(*site.roots) as cost:
            sent = send(site.port, requests, seconds=seconds)
        own = time.process_time() - own
        must_be_clean(sent, kept=count(site.database, site.tables[0]))
        return {
            "rate": sent.rate,
            **marks(sent.waits()),
            **cost.per(sent.accepted),
            "megabytes": megabytes(*site.web_workers),
            "own_us": own * 1_000_000 / sent.accepted,
        }


def must_be_clean(sent: Sent, *, kept: int) -> None:
    """Raises NotClean unless every answer was 200 and stands for one row."""
    sent.must_be_accepted()
    if kept != sent.accepted:
        raise NotClean(f"{sent.accepted} answers with 200, {kept} rows")


def through_psycopg(connections: int, *, seconds: float) -> Figures:
    """The same rows by prepared INSERTs from this process."""
    where = address(our_database())
    warm, spent = psycopg_insert.insert(
        where, psycopg_insert.rows(WARM_UP_REQUESTS), connections=connections, seconds=1
    )
    rows = psycopg_insert.rows(round(len(warm) / spent * seconds * 1.5) + 100)
    empty(our_database(), TABLE)
    own = time.process_time()
    with cost_of() as cost:
        took, spent = psycopg_insert.insert(where, rows, connections=connections, seconds=seconds)
    cost.application = time.process_time() - own
    if (kept := count(our_database(), TABLE)) != len(took):
        raise NotClean(f"{len(took)} INSERTs, {kept} rows")
    return {"rate": len(took) / spent, **marks(took), **cost.per(len(took))}


def empty(database: str, *tables: str) -> None:
    """Begin with nothing in the tables, and nothing left to write."""
    with psycopg.connect(address(database), autocommit=True) as connection:
        names = sql.SQL(", ").join(map(sql.Identifier, tables))
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        connection.execute("CHECKPOINT")


def count(database: str, table: str) -> int:
    """So many rows it has."""
    with psycopg.connect(address(database), autocommit=True) as connection:
        found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(found[0]) if found else 0
