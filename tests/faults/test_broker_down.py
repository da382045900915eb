"""The broker is away, mute or dies: events are processed all the same, and the worker can be stopped."""

import socket
from contextlib import closing

import pytest
from django.utils import timezone

from payments.effects.models import Effect
from payments.orders.models import Order
from tests.support.ledger_rows import is_all_done, ring_bell, waiting_events
from tests.support.processes import (
    BELL_ONLY,
    DEAD_REDIS,
    free_port,
    has_redis,
    running_redis,
    running_worker,
    wait_until,
)
from tests.support.road import event_of
from tests.support.signing import URL, body_of, signature_of
from tests.support.web_server import web_server

pytestmark = pytest.mark.slow


@pytest.fixture
def mute_redis():
    """A broker that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def assert_it_works_and_stops(worker):
    waiting_events(3)
    ring_bell()
    wait_until(is_all_done, or_show=lambda: worker.output)

    worker.stop()

    assert worker.popen.returncode == 0


@pytest.mark.django_db(transaction=True)
class TestWorkerWithoutBroker:
    @pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
    def test_processes_and_stops_while_nobody_answers(self, tmp_path, pool):
        with running_worker(tmp_path, broker=DEAD_REDIS, pool=pool, **BELL_ONLY) as worker:
            worker.wait_for("Cannot connect to redis")

            assert_it_works_and_stops(worker)

    def test_delivers_effects_while_nobody_answers(self, tmp_path):
        now = timezone.now()
        effect = Effect.objects.create(key="unknown:1", kind="unknown", not_before=now, created_at=now)

        with running_worker(tmp_path, broker=DEAD_REDIS) as worker:
            wait_until(
                lambda: Effect.objects.get(pk=effect.pk).attempts == 1,  # nobody delivers this kind: put off
                or_show=lambda: worker.output,
            )

    def test_processes_and_stops_while_the_broker_is_mute(self, tmp_path, mute_redis):
        with running_worker(tmp_path, broker=mute_redis, **BELL_ONLY) as worker:
            assert_it_works_and_stops(worker)

    @pytest.mark.skipif(not has_redis, reason="redis-server is not installed")
    def test_outlives_its_broker_and_finds_it_again(self, tmp_path):
        port = free_port()
        url = f"redis://127.0.0.1:{port}"
        with running_redis(tmp_path, port=port) as redis, running_worker(tmp_path, broker=url, **BELL_ONLY) as worker:
            worker.wait_for("ready.")
            redis.kill()
            worker.wait_for("Cannot connect to redis")
            waiting_events()
            ring_bell()
            wait_until(is_all_done, or_show=lambda: worker.output)

            with running_redis(tmp_path, port=port):
                wait_until(lambda: worker.output.count("Connected to redis") == 2, or_show=lambda: worker.output)

                assert_it_works_and_stops(worker)


@pytest.mark.django_db(transaction=True)
class TestWebhooksWithoutBroker:
    @pytest.mark.parametrize("together", ["1", "0"], ids=["together", "one by one"])
    def test_are_acknowledged_and_processed_as_ever(self, tmp_path, make_activity, make_registration, together):
        activity = make_activity(slug="crowd", capacity=20)
        people = [make_registration(f"Person {number}", of=activity) for number in range(20)]

        with (
            web_server(
                tmp_path, CELERY_BROKER_URL=DEAD_REDIS, REDIS_URL=DEAD_REDIS, WEBHOOK_GROUP_COMMIT=together
            ) as server,
            running_worker(tmp_path, broker=DEAD_REDIS, **BELL_ONLY) as worker,
            closing(server.connect()) as client,
        ):
            answers = [deliver(client, event_of(row, "checkout.session.completed")) for row in people]
            wait_until(is_all_done, or_show=lambda: worker.output)

        assert answers == [200] * 20
        assert set(Order.objects.values_list("status", flat=True)) == {"PAID"}


def deliver(client, event):
    body = body_of(event)
    client.request("POST", URL, body, {"Stripe-Signature": signature_of(body)})
    response = client.getresponse()
    response.read()
    return response.status
