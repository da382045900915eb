"""`manage.py send_event` from the outside: a real server, a worker beside it, and what people read."""

import socket
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from payments.bell import stop
from payments.effects.deliver import deliver_all
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.samples.events import SAMPLES
from payments.statuses import OrderStatus
from registrations.models import Activity
from registrations.services.register import register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bell():
    """The server's bell keeps a connection of its own, and the test database goes away in the end."""
    yield
    stop()


@pytest.fixture
def waiting_order():
    now = timezone.now()
    activity = Activity.objects.create(
        slug="pottery", title="Pottery", starts_at=now + timedelta(days=9), price=4900, capacity=5
    )
    row = register(
        activity=activity,
        name="Camille",
        email="camille@example.com",
        language="en",
        at=now,
        external_id="Reg-12",
    )
    return row.order


@pytest.fixture
def worker(transactional_db):
    """Somebody who processes what arrives, as the worker of `make run` does."""
    over = threading.Event()

    def work() -> None:
        try:
            while not over.wait(0.05):
                drain(at=timezone.now())
                deliver_all(clock=timezone.now)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def told(event_type: str, live_server: object, **options: object) -> str:
    out = StringIO()
    options = {"url": f"{live_server}/stripe/webhooks", **options}
    call_command("send_event", event_type, stdout=out, **options)
    return out.getvalue()


@pytest.mark.usefixtures("worker")
class TestSendEvent:
    def test_tells_the_whole_way_from_delivery_to_order(self, live_server, waiting_order):
        text = told("checkout.session.completed", live_server)

        assert f"about {waiting_order.number} Pottery (PENDING)" in text
        assert "delivery 1: 200" in text
        assert "event: PROCESSED" in text
        assert "status: PENDING → PAID" in text
        assert f"order {waiting_order.number}: PENDING → PAID" in text
        assert "effect " in text

    @pytest.mark.parametrize("shape", ["2023-10-16", "current"])
    def test_goes_through_a_story_in_either_shape(self, live_server, waiting_order, shape):
        told("payment_intent.payment_failed", live_server, shape=shape, decline_code="lost_card")
        told("payment_intent.succeeded", live_server, shape=shape, registration="Reg-12")
        told("charge.refunded", live_server, shape=shape, amount=1000)
        text = told("refund.created", live_server, shape=shape, amount=4900)

        waiting_order.refresh_from_db()
        assert "event: PROCESSED" in text
        assert (waiting_order.status, waiting_order.amount_refunded) == (OrderStatus.REFUNDED, 4900)

    def test_delivers_the_same_event_several_times(self, live_server, waiting_order):
        text = told("payment_intent.succeeded", live_server, times=3)

        assert "delivery 3: 200" in text
        assert PaymentEvent.objects.count() == 1

    def test_declines_with_a_usual_reason_unless_told_otherwise(self, live_server, waiting_order):
        told("payment_intent.payment_failed", live_server)

        waiting_order.refresh_from_db()
        assert (waiting_order.status, waiting_order.failure_code) == (
            OrderStatus.FAILED,
            "insufficient_funds",
        )

    def test_says_that_nothing_new_is_sent(self, live_server, waiting_order):
        told("payment_intent.succeeded", live_server)

        text = told("payment_intent.succeeded", live_server, order=waiting_order.number)

        assert "no new effect" in text

    def test_says_why_an_event_was_ignored(self, live_server, waiting_order):
        paid = {"status": OrderStatus.PAID, "paid_at": timezone.now(), "amount_received": waiting_order.amount}
        Order.objects.filter(pk=waiting_order.pk).update(**paid)

        text = told("charge.dispute.created", live_server)

        assert "event: IGNORED unmatched" in text


class TestSendEventRefuses:
    @pytest.mark.parametrize("amount", ["-1", "9" * 30, "49.00", ""])
    def test_refuses_an_amount_that_stripe_could_not_write(self, amount):
        with pytest.raises(CommandError, match="no number of minor units"):
            call_command("send_event", "checkout.session.completed", f"--amount={amount}")

    @pytest.mark.parametrize("times", ["0", "-1", "often"])
    def test_to_deliver_less_than_once(self, times):
        with pytest.raises(CommandError, match="no number from 1 up"):
            call_command("send_event", "checkout.session.completed", f"--times={times}")

    def test_a_type_without_a_sample_and_lists_them(self, live_server, waiting_order):
        with pytest.raises(CommandError, match=r"There is no sample of 'order\.shipped'") as refusal:
            told("order.shipped", live_server)

        assert all(event_type in str(refusal.value) for event_type in SAMPLES)

    def test_what_is_told_of_subscriptions_and_says_where_it_comes_from(self, live_server, waiting_order):
        with pytest.raises(CommandError, match="Subscribe on the site: the Stripe emulator tells of it"):
            told("customer.subscription.created", live_server)

    def test_an_order_that_is_unknown(self, live_server, waiting_order):
        with pytest.raises(CommandError, match="There is no order 'O-999999'"):
            told("payment_intent.succeeded", live_server, order="O-999999")

    def test_to_work_without_any_data(self, live_server):
        with pytest.raises(CommandError, match="seed_demo"):
            told("payment_intent.succeeded", live_server)

    def test_a_server_that_is_not_there(self, waiting_order):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))

            with pytest.raises(CommandError, match="is `make run` running"):
                told("payment_intent.succeeded", "", url=f"http://127.0.0.1:{taken.getsockname()[1]}/")

    def test_to_call_it_done_when_the_server_takes_nothing(self, live_server, waiting_order):
        with pytest.raises(CommandError, match="took none of the deliveries"):
            told("payment_intent.succeeded", live_server, url=f"{live_server}/nowhere")

    def test_to_call_it_done_when_nobody_works(self, live_server, waiting_order):
        with pytest.raises(CommandError, match="does the worker run"):
            told("payment_intent.succeeded", live_server, wait=0.0)
