"""How long a buyer waits: from the POST of an event until another connection sees the order PAID.

On an idle site, 40 events a second; and in a burst, all events at once over 16 connections.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from threading import Thread

import psycopg
from django.utils import timezone

from benchmarks.drain import running_tasks
from benchmarks.load import body_of, request, send
from benchmarks.measure import Figures, NotClean, Size, marks
from benchmarks.sites import GROUP_COMMIT, PRODUCTION, SECRET, Site, address, our_database, ours, with_a_task_for_each
from benchmarks.world import clear, event_about, make_registrations, settle
from tests.support.processes import running_worker

PER_SECOND = 40.0
WARM_UP_ORDERS = 40
# Often enough for milliseconds, seldom enough to leave the processor to those who work.
LOOK_SECONDS = 0.002
MOST_SECONDS = 120.0
PAID = "SELECT id FROM payments_order WHERE id = ANY(%s) AND status = 'PAID'"
OURS, TASKS = "ours", "a task for each event"
Open = Callable[[Path], AbstractContextManager[Site]]


def one_by_one(size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side on an idle site."""
    return {OURS: partial(measure, our_site, size.orders), TASKS: partial(measure, task_site, size.orders)}


def at_once(size: Size) -> dict[str, Callable[[], Figures]]:
    """The same in a burst."""
    return {
        OURS: partial(measure, our_site, size.burst, is_burst=True),
        TASKS: partial(measure, task_site, size.burst, is_burst=True),
    }


@contextmanager
def our_site(place: Path) -> Iterator[Site]:
    """Web server and one worker, as production runs them."""
    with ours(place, GROUP_COMMIT) as site, running_worker(place, **PRODUCTION) as worker:
        worker.wait_for("delivery.listening")
        yield site


@contextmanager
def task_site(place: Path) -> Iterator[Site]:
    """The same web server, which sends tasks, and a Celery worker with two child processes."""
    with with_a_task_for_each(place) as site, running_tasks(place, site.broker_url):
        yield site


def measure(start: Open, count: int, *, is_burst: bool = False) -> Figures:
    """Pay so many orders; some before them warm everything up."""
    clear()
    with tempfile.TemporaryDirectory() as place, start(Path(place)) as site:
        now = timezone.now()
        rows = make_registrations(WARM_UP_ORDERS + count, activities=5, at=now, prefix=token_hex(4))
        settle()
        bodies = [body_of(event_about(row, "checkout.session.completed", at=now)) for row in rows]
        requests = [request(body, path=site.path, secret=SECRET) for body in bodies]
        orders = [row.order_id for row in rows]
        pay(site, orders[:WARM_UP_ORDERS], requests[:WARM_UP_ORDERS], per_second=PER_SECOND)
        rate = {} if is_burst else {"per_second": PER_SECOND}
        return pay(site, orders[WARM_UP_ORDERS:], requests[WARM_UP_ORDERS:], **rate)


def pay(site: Site, orders: list[int], requests: list[bytes], **rate: float) -> Figures:
    """Send the events and look on until all orders are PAID."""
    watch = Watch(orders)
    watch.start()
    try:
        sent = send(site.port, requests, **rate)
        sent.must_be_accepted()
        watch.join(MOST_SECONDS)
    finally:
        watch.end()
    if len(watch.paid_at) < len(orders):
        raise NotClean(f"{len(watch.paid_at)} of {len(orders)} orders paid after {MOST_SECONDS:.0f} s")
    waits = [watch.paid_at[order] - sent.sent_at[number] for number, order in enumerate(orders)]
    answered = marks(sent.waits())
    return {
        **marks(waits),
        "answered_p50": answered["p50"],
        "answered_p99": answered["p99"],
        "all_answered": sent.ended - sent.began,
        "all_paid": max(watch.paid_at.values()) - sent.began,
    }


class Watch(Thread):
    """Notes when it sees which order PAID, on a connection of its own."""

    def __init__(self, orders: list[int]) -> None:
        super().__init__(daemon=True)
        self.open = set(orders)
        self.paid_at: dict[int, float] = {}
        self.is_over = False

    def end(self) -> None:
        """Look no more."""
        self.is_over = True
        self.join()

    def run(self) -> None:
        with psycopg.connect(address(our_database()), autocommit=True) as connection:
            while self.open and not self.is_over:
                found = connection.execute(PAID, [list(self.open)], prepare=True).fetchall()
                now = time.perf_counter()
                for (order,) in found:
                    self.paid_at[order] = now
                    self.open.discard(order)
                time.sleep(LOOK_SECONDS)
