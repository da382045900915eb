"""The limit: the row that our ledger keeps, prepared beforehand, by psycopg alone; no HTTP, no signature, no Django."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from secrets import token_hex
from threading import Barrier, Thread
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.load import MARK, sample_delivery
from benchmarks.world import ledger_row
from payments.ledger.models import PaymentEvent

COLUMNS = [field for field in PaymentEvent._meta.concrete_fields if not field.primary_key]
INSERT = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (stripe_event_id) DO NOTHING").format(
    sql.Identifier(PaymentEvent._meta.db_table),
    sql.SQL(", ").join(sql.Identifier(field.column) for field in COLUMNS),
    sql.SQL(", ").join([sql.Placeholder()] * len(COLUMNS)),
)
Row = Sequence[Any]


def rows(count: int) -> list[Row]:
    """So many rows of our ledger, each with ids of its own."""
    template = json.dumps(sample_delivery())
    return [_row(json.loads(template.replace(MARK, token_hex(6)))) for _number in range(count)]


def _row(event: dict[str, Any]) -> Row:
    row = ledger_row(event, at=datetime.now(UTC))
    values = {field.attname: getattr(row, field.attname) for field in COLUMNS}
    return [*(values | {"payload": json.dumps(event)}).values()]


def insert(address: str, rows: Sequence[Row], *, connections: int, seconds: float) -> tuple[list[float], float]:
    """How long each INSERT took, and how long all of them together; each in a transaction of its own."""
    shares = [Share(address, rows[number::connections], seconds) for number in range(connections)]
    start = Barrier(connections + 1)
    threads = [Thread(target=share.insert, args=(start,)) for share in shares]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return [took for share in shares for took in share.took], time.perf_counter() - began


class Share:
    """What one connection inserts."""

    def __init__(self, address: str, rows: Sequence[Row], seconds: float) -> None:
        self.address, self.rows, self.seconds = address, rows, seconds
        self.took: list[float] = []

    def insert(self, start: Barrier) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            start.wait()
            end = time.perf_counter() + self.seconds
            for row in self.rows:
                began = time.perf_counter()
                if began > end:
                    break
                connection.execute(INSERT, row, prepare=True)
                self.took.append(time.perf_counter() - began)
