"""How fast demo registrations are written by COPY, beside `bulk_create` of the very same rows, a thousand at a time.

COPY makes its rows as it goes. So does bulk_create, of values that it is given; once more it is given ready instances,
and only writes. All of its tables are one transaction.

`.venv/bin/python -m benchmarks.seed [REGISTRATIONS]`
"""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import models, transaction
from django.utils import timezone

from benchmarks import how_many
from benchmarks.measure import Figures, NotClean, Size, cpu_seconds, in_rounds, postgres
from benchmarks.world import clear, settle
from registrations.demo import make

COPY, BULK_CREATE, READY = "COPY", "bulk_create", "bulk_create, instances ready"
SPAN = timedelta(days=730)
BATCH = 1000
ROUNDS = 3
Model = type[models.Model]
Values = dict[Model, list[dict[str, Any]]]


def variants(size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side; `rate` counts rows."""
    return of_size(size.bulk)


def of_size(count: int) -> dict[str, Callable[[], Figures]]:
    """The same for so many registrations."""
    return {
        COPY: partial(by_copy, count),
        BULK_CREATE: partial(by_bulk_create, count),
        READY: partial(by_bulk_create, count, is_ready=True),
    }


def by_copy(count: int) -> Figures:
    """As `manage.py seed_demo --size` does, from the plots to the last commit."""
    clear()
    settle()
    with measured() as figures:
        rows = _copied(count).total()
    return _for_each_row(figures, rows)


def by_bulk_create(count: int, *, is_ready: bool = False) -> Figures:
    """What COPY has written, once more."""
    clear()
    copied = _copied(count)
    values = _read(copied)
    clear()
    settle()
    ready = {model: _instances(model, rows) for model, rows in values.items()} if is_ready else {}
    gc.freeze()  # what stays is not looked through as garbage meanwhile
    with measured() as figures, transaction.atomic():
        for model, rows in values.items():
            model._base_manager.bulk_create(ready.get(model) or _instances(model, rows), batch_size=BATCH)
    gc.unfreeze()
    if (written := sum(model._base_manager.count() for model in values)) != copied.total():
        raise NotClean(f"{written} rows of {copied.total()} were written")
    return _for_each_row(figures, copied.total())


@contextmanager
def measured() -> Iterator[Figures]:
    """Seconds: by the clock, of this process's CPU, and of the database's."""
    figures: Figures = {}
    server = postgres()
    began, own, database = time.perf_counter(), time.process_time(), cpu_seconds(server)
    yield figures
    figures["seconds"] = time.perf_counter() - began
    figures["app"], figures["db"] = time.process_time() - own, cpu_seconds(server) - database


def _for_each_row(figures: Figures, rows: int) -> Figures:
    share = 1_000_000 / rows
    return {"rate": rows / figures["seconds"], "app_us": figures["app"] * share, "db_us": figures["db"] * share}


def _copied(count: int) -> Counter[str]:
    """Makes so many registrations. Returns the rows by table."""
    at = timezone.now()
    return sum((rows for _orders, rows in make(count=count, since=at - SPAN, at=at)), Counter())


def _read(copied: Counter[str]) -> Values:
    """All rows of these tables."""
    by_table = {model._meta.db_table: model for model in apps.get_models()}
    return {by_table[table]: list(by_table[table]._base_manager.order_by("pk").values()) for table in sorted(copied)}


def _instances(model: Model, rows: list[dict[str, Any]]) -> list[models.Model]:
    return [model(**values) for values in rows]


def main() -> None:
    """Prints what each round has taken, the medians, and the ratios."""
    count = how_many("REGISTRATIONS", default=10_000)
    call_command("migrate", verbosity=0)
    found = in_rounds(of_size(count), rounds=ROUNDS, tell=partial(print, flush=True))
    for name, series in found.items():
        ratio = found[COPY].ratio(series, "rate") or 0
        rate, app, db = (series.median(figure) or 0 for figure in ("rate", "app_us", "db_us"))
        print(f"{name:>28}: {rate:7,.0f} rows/s, CPU {app:.0f} + {db:.0f} µs a row; COPY is {ratio:.2f} times as fast")
    clear()


if __name__ == "__main__":
    main()
