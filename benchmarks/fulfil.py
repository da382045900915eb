"""How long a buyer waits: from the POST of an event until the order is seen PAID, on an idle system and in a burst.

`.venv/bin/python -m config.devdb exec --ephemeral -- .venv/bin/python -m benchmarks.fulfil [ORDERS]`
"""

import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from benchmarks import how_many
from benchmarks.world import event_about, make_registrations
from payments.orders.models import Order
from registrations.models import Registration
from tests.support.processes import running_worker
from tests.support.signing import URL, body_of, signature_of
from tests.support.web_server import web_server

PAUSE = 0.025
_local = threading.local()


def main() -> None:
    """Starts the web server and a worker as production runs them, then pays orders one by one and 500 at once."""
    count = how_many("ORDERS", default=400)
    call_command("migrate", verbosity=0)
    now = timezone.now()
    rows = make_registrations(count + 500, activities=5, at=now, prefix=f"f{int(now.timestamp())}")
    events = [event_about(row, "checkout.session.completed", at=now) for row in rows]
    with tempfile.TemporaryDirectory() as place, web_server(Path(place)) as web, running_worker(Path(place)):
        pay_one_by_one(web.port, rows[:count], events[:count])
        pay_at_once(web.port, rows[count:], events[count:])


def pay_one_by_one(port: int, rows: list[Registration], events: list[Any]) -> None:
    """One every 25 ms on one connection; the first tenth warms up."""
    acknowledged, fulfilled = [], []
    with ThreadPoolExecutor(1) as pool:
        for row, event in zip(rows, events, strict=True):
            posted, answered = pool.submit(post, port, event).result()
            wait_until_paid([row.order_id])
            fulfilled.append(time.perf_counter() - posted)
            acknowledged.append(answered - posted)
            time.sleep(PAUSE)
    report("acknowledged", acknowledged[len(rows) // 10 :])
    report("POST → PAID", fulfilled[len(rows) // 10 :])


def pay_at_once(port: int, rows: list[Registration], events: list[Any]) -> None:
    """As many as there are, from 16 connections."""
    started = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda event: post(port, event), events))
        acknowledged = time.perf_counter() - started
        wait_until_paid([row.order_id for row in rows])
    paid = time.perf_counter() - started
    print(f"{len(rows)} at once: all acknowledged after {acknowledged:.2f} s, all paid after {paid:.2f} s")


def post(port: int, event: dict[str, Any]) -> tuple[float, float]:
    """When it was sent and when it was answered."""
    body = body_of(event)
    headers = {"Stripe-Signature": signature_of(body), "Content-Type": "application/json"}
    sent = time.perf_counter()
    client = connection_of_this_thread(port)
    client.request("POST", URL, body, headers)
    response = client.getresponse()
    response.read()
    if response.status != 200:
        raise SystemExit(f"answered {response.status}")
    return sent, time.perf_counter()


def connection_of_this_thread(port: int) -> HTTPConnection:
    """Senders keep their connections, as Stripe's do."""
    if not hasattr(_local, "client"):
        _local.client = HTTPConnection("127.0.0.1", port, timeout=30)
    return _local.client  # type: ignore[no-any-return]


def wait_until_paid(order_ids: list[int]) -> None:
    """Look every 3 ms, as another connection sees it: more often would take the processor from who works."""
    while Order.objects.filter(pk__in=order_ids, status="PAID").count() < len(order_ids):
        time.sleep(0.003)


def report(what: str, seconds: list[float]) -> None:
    """Median and 99th percentile in milliseconds."""
    marks = statistics.quantiles(seconds, n=100)
    print(f"{what:>13}: median {statistics.median(seconds) * 1000:.1f} ms, p99 {marks[98] * 1000:.1f} ms")


if __name__ == "__main__":
    main()
