"""What a site meets in the long run: a million events behind it, a thousand batches by two workers, a database that is
restarted under it.

`.venv/bin/python -m benchmarks.endurance [BEHIND]`
BEHIND: so many processed events lie behind; else 1 000 000.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from benchmarks import how_many, own_server
from benchmarks.drain import fill, must_be_processed, our_workers, watch
from benchmarks.fulfil import our_site
from benchmarks.load import body_of, request, send
from benchmarks.measure import cost_of
from benchmarks.sites import SECRET, Site
from benchmarks.world import clear, event_about, make_registrations, settle
from config.devdb.server import Server
from payments import bell
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.statuses import OrderStatus
from tests.support.processes import wait_until
from tests.support.query_plans import multiply_rows

EVENTS, FEW, TIMES = 5_000, 200, 5
# Of each event that lies behind, so many rows of other tables.
BEHIND = {
    "payments_paymentevent": 1.0,
    "payments_eventattempt": 1.0,
    "payments_orderchange": 0.8,
    "payments_reference": 1.0,
    "payments_order": 0.5,
    "payments_checkoutattempt": 0.5,
    "payments_payment": 0.4,
    "registrations_registration": 0.5,
}
BATCHES = 1_000
RESTARTS = 5
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def main() -> None:
    """Prints what was measured, part after part."""
    behind = how_many("BEHIND", default=1_000_000)
    call_command("migrate", verbosity=0)
    settings.STRIPE_LIVEMODE = True
    try:
        measure_history(behind)
        measure_deadlocks()
        measure_restarts()
    finally:
        bell.stop()


def say(text: str) -> None:
    print(text, flush=True)


def measure_history(behind: int) -> None:
    """One drain with nothing behind it and with so many events, in this process."""
    clear()
    drained()  # warms up
    fresh = [drained() for _time in range(TIMES)]
    clear()
    drained(FEW)  # what the copies are made from
    began = time.perf_counter()
    multiply_rows({table: round(behind * share) for table, share in BEHIND.items()})
    settle()
    say(f"{behind:,} events made in {time.perf_counter() - began:.0f} s")
    old = [drained() for _time in range(TIMES)]
    for name, runs in (("nothing behind", fresh), (f"{behind:,} events behind", old)):
        rate, database = (median(figures) for figures in zip(*runs, strict=True))
        say(f"drain, {name}: {rate:,.0f} events/s, {database:,.0f} µs of the database each, medians of {TIMES}")


def drained(count: int = EVENTS) -> tuple[float, float]:
    """Events per second and microseconds of the database for each, of a queue that was filled for it."""
    fill(count)
    settle()
    with cost_of() as cost:
        began = time.perf_counter()
        drain()
        spent = time.perf_counter() - began
    must_be_processed()
    return count / spent, cost.per(count)["db_us"]


def measure_deadlocks() -> None:
    """Two workers on one queue, in which the events of one order lie close to each other."""
    clear()
    count = BATCHES * settings.DRAIN_BATCH_SIZE
    with tempfile.TemporaryDirectory() as place, our_workers(Path(place), processes=2) as workers:
        fill(count)
        settle()
        before = deadlocks()
        workers.begin()
        watch(until=time.perf_counter() + 600)
        must_be_processed()
        time.sleep(1.0)  # PostgreSQL's statistics are written down a moment later
        say(f"{BATCHES:,} batches by two workers: {deadlocks() - before} deadlocks")


def deadlocks() -> int:
    """Of this database, as far as PostgreSQL has counted."""
    with connection.cursor() as cursor:
        cursor.execute(DEADLOCKS)
        return int(cursor.fetchone()[0])


def measure_restarts() -> None:
    """How long after PostgreSQL accepts connections again a delivery is answered with 200, and its order is PAID."""
    if own_server is None:
        say("restarts: not measured, the server is not ours to restart")
        return
    clear()
    with tempfile.TemporaryDirectory() as place, our_site(Path(place)) as site:
        now = timezone.now()
        rows = make_registrations(RESTARTS + 1, activities=1, at=now, prefix="restart")
        bodies = [body_of(event_about(row, "checkout.session.completed", at=now)) for row in rows]
        requests = [request(body, path=site.path, secret=SECRET) for body in bodies]
        send(site.port, requests[:1]).must_be_accepted()
        took = [
            restarted(own_server, site, each, order=row.order_id)
            for each, row in zip(requests[1:], rows[1:], strict=True)
        ]
    answered, paid = (max(seconds) * 1000 for seconds in zip(*took, strict=True))
    say(f"{RESTARTS} restarts of PostgreSQL: 200 after {answered:,.0f} ms, PAID after {paid:,.0f} ms at the latest")


def restarted(server: Server, site: Site, delivery: bytes, *, order: int) -> tuple[float, float]:
    """Seconds from when the server accepts connections again to the 200 and to the order that is PAID."""
    connection.close()
    server.stop()
    server.start(tied=True)
    began = time.perf_counter()
    send(site.port, [delivery]).must_be_accepted()
    answered = time.perf_counter() - began
    wait_until(Order.objects.filter(pk=order, status=OrderStatus.PAID).exists, or_show=lambda: site.web.output)
    return answered, time.perf_counter() - began


if __name__ == "__main__":
    main()
