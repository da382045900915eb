"""A storm of deliveries over real HTTP, worked off by real workers: 20 events, each ten times, from eight clients."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from registrations.models import Registration
from tests.support.deep import DEEP
from tests.support.processes import running_worker, wait_until
from tests.support.road import event_of
from tests.support.signing import URL, body_of, signature_of
from tests.support.web_server import WebServer, web_server

CLIENTS = 8
PAID = ("checkout.session.completed", "payment_intent.succeeded")
LATE = ("checkout.session.expired", "checkout.session.completed")
REFUNDED = ("checkout.session.completed", "charge.refunded")
EXPIRED = ("payment_intent.payment_failed", "checkout.session.expired")
STORIES = (PAID, PAID, PAID, PAID, LATE, LATE, REFUNDED, REFUNDED, EXPIRED, EXPIRED)
ENDS = Counter(PAID=6, REFUNDED=2, EXPIRED=2)


def deliver(server: WebServer, events: list[dict]) -> list[int]:
    """One client with one connection, as Stripe's senders are. Returns the answers' status codes."""
    answers = []
    with closing(server.connect()) as client:
        for event in events:
            body = body_of(event)
            client.request("POST", URL, body, {"Stripe-Signature": signature_of(body)})
            response = client.getresponse()
            assert json.loads(response.read())["event"] == event["id"]
            answers.append(response.status)
    return answers


def is_calm() -> bool:
    return not PaymentEvent.objects.exclude(status="PROCESSED").exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestStorm:
    @pytest.mark.parametrize("seed", [1, 2] if DEEP else [1])
    def test_ends_where_one_delivery_of_each_would(self, tmp_path, make_activity, make_registration, seed):
        activity = make_activity(slug="storm", capacity=10)
        people = [make_registration(f"Person {number}", of=activity) for number in range(10)]
        events = [event_of(row, kind) for row, story in zip(people, STORIES, strict=True) for kind in story]
        storm = events * 10
        random.Random(seed).shuffle(storm)

        (tmp_path / "second").mkdir()
        with (
            web_server(tmp_path) as server,
            running_worker(tmp_path) as worker,
            running_worker(tmp_path / "second"),
            ThreadPoolExecutor(CLIENTS) as pool,
        ):
            shares = [storm[number::CLIENTS] for number in range(CLIENTS)]
            answers = [code for codes in pool.map(lambda share: deliver(server, share), shares) for code in codes]
            wait_until(is_calm, or_show=lambda: worker.output)

        assert answers == [200] * 200
        assert PaymentEvent.objects.count() == 20
        assert Counter(Order.objects.values_list("status", flat=True)) == ENDS
        activity.refresh_from_db()
        assert Registration.objects.filter(holds_place=True).count() == activity.places_taken == 6
        assert Effect.objects.filter(kind="registration.confirmed", status="UNCERTAIN").count() == 0
        final = {
            "PAID": "registration.confirmed",
            "REFUNDED": "registration.refunded",
            "EXPIRED": "registration.closed",
        }
        for order in Order.objects.all():
            assert order.effects.filter(kind=final[order.status]).count() == 1
