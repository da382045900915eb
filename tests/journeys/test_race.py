"""Ten buyers race for each place, over HTTP: the web server of production, and the Stripe emulator as a process."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from payments.orders.models import CheckoutAttempt, Order
from registrations.models import Activity, Registration
from tests.support.deep import so_many
from tests.support.emulator_process import running_emulator
from tests.support.web_server import web_server

PLACES, CLIENTS = so_many(12, deep=50), 16
BUYERS = 10 * PLACES
ADDRESS = "/api/activities/race/registrations/"
Answer = tuple[int, dict[str, Any]]


def buy(client: HTTPConnection, number: int) -> Answer:
    """One buyer's request, and what they are told."""
    body = json.dumps({"name": f"Buyer {number}", "email": f"buyer{number}@example.com"})
    client.request("POST", ADDRESS, body, {"Content-Type": "application/json"})
    response = client.getresponse()
    return response.status, json.loads(response.read())


def race(connect) -> list[Answer]:
    """All buyers, from so many clients at the same time."""

    def send(numbers: range) -> list[Answer]:
        with closing(connect()) as client:
            return [buy(client, number) for number in numbers]

    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = [range(first, BUYERS, CLIENTS) for first in range(CLIENTS)]
        return [answer for answers in pool.map(send, shares) for answer in answers]


@pytest.fixture
def activity(transactional_db):
    cache.clear()
    yield Activity.objects.create(
        slug="race", title="Race", price=4900, capacity=PLACES, starts_at=timezone.now() + timedelta(days=30)
    )
    # Emptying the tables leaves the counters of clients behind.
    cache.clear()


@pytest.mark.slow
class TestRace:
    def test_sells_each_place_once_and_tells_everybody_else_so(self, tmp_path, activity):
        with running_emulator(tmp_path) as emulator:
            told = {"STRIPE_API_BASE": emulator.url, "STRIPE_RATE_LIMIT_MAX": "1000000", "LOG_LEVEL": "WARNING"}
            with web_server(tmp_path, **told) as server:
                began = time.monotonic()
                answers = race(server.connect)
                seconds = time.monotonic() - began
            sessions = list(emulator.client.v1.checkout.sessions.list({"limit": 100}).auto_paging_iter())

        print(f"{BUYERS} buyers, {PLACES} places, {CLIENTS} clients: {seconds:.1f} s, {BUYERS / seconds:.0f} a second")
        assert Counter(status for status, _ in answers) == {201: PLACES, 409: BUYERS - PLACES}
        assert {body["error"]["code"] for status, body in answers if status == 409} == {"activity_full"}
        activity.refresh_from_db()
        holders = Registration.objects.filter(holds_place=True)
        assert activity.places_taken == holders.count() == Order.objects.count() == PLACES
        open_at_stripe = Counter(session.client_reference_id for session in sessions if session.status == "open")
        assert open_at_stripe == {str(row.order.public_id): 1 for row in holders.select_related("order")}
        assert len(sessions) == PLACES
        assert set(CheckoutAttempt.objects.values_list("session", flat=True)) == {session.id for session in sessions}
        urls = [body["checkout_url"] for status, body in answers if status == 201]
        assert sorted(urls) == sorted(session.url for session in sessions)
