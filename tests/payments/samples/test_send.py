"""A made-up event is truly delivered to a real server, and what became of it is told."""

import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from payments.bell import stop
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.samples.events import sample_event
from payments.samples.send import Baseline, CannotSend, send, watch
from payments.samples.story import CURRENT_SHAPE, Json, subject_of
from payments.statuses import EffectStatus, EventStatus, OrderStatus
from registrations.models import Activity
from registrations.services.register import register

PAID_EVENT = "payment_intent.succeeded"


def a_waiting_order() -> Order:
    now = timezone.now()
    activity = Activity.objects.create(
        slug="pottery", title="Pottery", starts_at=now + timedelta(days=9), price=4900, capacity=5
    )
    return register(activity=activity, name="Camille", email="camille@example.com", language="en", at=now).order


def event_about(order: Order, event_type: str = PAID_EVENT) -> Json:
    return sample_event(event_type, subject=subject_of(order), shape=CURRENT_SHAPE, at=timezone.now())


@pytest.fixture(autouse=True)
def bell():
    """The server's bell keeps a connection of its own, and the test database goes away in the end."""
    yield
    stop()


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.django_db(transaction=True)
class TestSend:
    def test_is_taken_in_like_a_delivery_of_stripe(self, live_server):
        event = event_about(a_waiting_order())

        [delivery] = send(event, url=f"{live_server}/stripe/webhooks", times=1, at=timezone.now())

        assert delivery.is_accepted
        assert PaymentEvent.objects.get().stripe_event_id == event["id"]

    def test_repeats_the_same_event_without_a_second_row(self, live_server):
        event = event_about(a_waiting_order())

        deliveries = send(event, url=f"{live_server}/stripe/webhooks", times=3, at=timezone.now())

        assert [delivery.status for delivery in deliveries] == [200, 200, 200]
        assert PaymentEvent.objects.count() == 1

    def test_tells_what_a_server_answers_that_refuses(self, live_server):
        stale = timezone.now() - timedelta(hours=1)

        [delivery] = send(event_about(a_waiting_order()), url=f"{live_server}/stripe/webhooks", times=1, at=stale)

        assert (delivery.status, delivery.is_accepted) == (400, False)
        assert "too old" in delivery.body

    def test_follows_no_redirect(self, live_server):
        [delivery] = send(event_about(a_waiting_order()), url=f"{live_server}/admin", times=1, at=timezone.now())

        assert not delivery.is_accepted


class TestSendRefused:
    def test_says_when_nobody_listens(self, closed_port):
        with pytest.raises(CannotSend, match="is `make run` running"):
            send({"id": "evt_1"}, url=f"http://127.0.0.1:{closed_port}/x", times=1, at=timezone.now())

    @pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1/", "http://127.0.0.1:port/"])
    def test_says_when_the_address_is_none(self, url):
        with pytest.raises(CannotSend, match="is no web address"):
            send({"id": "evt_1"}, url=url, times=1, at=timezone.now())

    def test_needs_a_secret(self, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []

        with pytest.raises(CannotSend, match="STRIPE_WEBHOOK_SECRET is not set"):
            send({"id": "evt_1"}, url="http://127.0.0.1:1/", times=1, at=timezone.now())

    def test_never_happens_in_production(self, settings):
        settings.PRODUCTION = True

        with pytest.raises(CannotSend, match="not in production"):
            send({"id": "evt_1"}, url="http://127.0.0.1:1/", times=1, at=timezone.now())


@pytest.mark.django_db(transaction=True)
class TestWatch:
    def test_tells_what_the_event_changed(self, live_server):
        order = a_waiting_order()
        event, before = event_about(order), Baseline.of(order)
        send(event, url=f"{live_server}/stripe/webhooks", times=1, at=timezone.now())
        drain(at=timezone.now())

        result = watch(event["id"], before=before, seconds=0)

        assert result.is_decided
        assert result.event
        assert result.attempt
        assert result.event.status == EventStatus.PROCESSED
        assert (result.before.order_status, result.order.status) == (OrderStatus.PENDING, OrderStatus.PAID)
        assert {"what": "status", "before": "PENDING", "after": "PAID"} in result.attempt.changes
        assert [effect.order_id for effect in result.effects] == [order.pk] * len(result.effects)
        assert result.effects

    def test_leaves_out_the_effects_that_were_there_before(self):
        order = a_waiting_order()
        Effect.objects.create(
            key="old", kind="mail", order=order, status=EffectStatus.DONE, not_before=timezone.now(),
            created_at=timezone.now(),
        )  # fmt: skip

        result = watch("evt_nobody", before=Baseline.of(order), seconds=0)

        assert (result.event, result.effects) == (None, [])

    def test_knows_that_nobody_has_worked_yet(self, live_server):
        order = a_waiting_order()
        event, before = event_about(order), Baseline.of(order)
        send(event, url=f"{live_server}/stripe/webhooks", times=1, at=timezone.now())

        result = watch(event["id"], before=before, seconds=0)

        assert result.event is not None
        assert not result.is_decided
