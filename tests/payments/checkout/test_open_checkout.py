"""Opening Checkout: one session in which an order can be paid, whatever goes wrong."""

import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from payments.checkout.attempts import OrderNotPayable
from payments.checkout.open_checkout import OpenedCheckout, open_checkout
from payments.effects.models import Effect
from payments.orders.models import Order, Reference
from payments.statuses import OrderStatus
from payments.stripe_api import clock
from payments.stripe_api import gateway as real_gateway
from payments.stripe_api.checkout_params import SESSION_ID
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.links import page_path
from tests.support.fake_gateway import FakeGateway, refused, unavailable
from tests.support.road import NOON, event_of, hear

LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def order(registration):
    return registration.order


def pay_at(order: Order, *, at=NOON) -> OpenedCheckout:
    return open_checkout(order_id=order.pk, at=at)


def attempts_of(order: Order) -> list[tuple[int, str]]:
    return list(order.checkouts.order_by("number").values_list("number", "session"))


@pytest.mark.usefixtures("db")
class TestClockThatIsOff:
    def test_that_is_behind_gets_a_session_that_ends_later(self, gateway, registration):
        gateway.asked_at, ahead = NOON, timedelta(minutes=5)
        gateway.now = int((NOON + ahead).timestamp())

        opened = pay_at(registration.order)

        assert opened.expires_at == NOON + ahead + timedelta(minutes=31)
        registration.refresh_from_db()
        assert registration.held_until == opened.expires_at
        assert attempts_of(registration.order) == [(1, ""), (2, "cs_test_1")]

    def test_is_known_from_the_last_answer_so_nothing_is_refused(self, gateway, order):
        ahead = timedelta(minutes=5)
        gateway.now = int((NOON + ahead).timestamp())
        clock.learn(said_at=NOON + ahead, asked_at=NOON, heard_at=NOON)

        pay_at(order)

        assert attempts_of(order) == [(1, "cs_test_1")]

    def test_that_is_far_off_is_an_alert_to_staff(self, gateway, order):
        clock.learn(said_at=NOON - timedelta(minutes=5), asked_at=NOON, heard_at=NOON)

        pay_at(order)

        assert Effect.objects.get(kind="alert.clock").data["seconds"] == -300

    def test_explains_no_other_refusal(self, gateway, order):
        gateway.asked_at, gateway.now = NOON, int((NOON + timedelta(minutes=5)).timestamp())
        gateway.will(refused())

        with pytest.raises(GatewayRefused):
            pay_at(order)


@pytest.mark.usefixtures("db")
class TestOpenCheckout:
    def test_asks_for_what_the_order_says_and_nothing_else(self, gateway, registration, settings):
        order = registration.order

        pay_at(order)

        [asked] = gateway.asked
        names = {"orderId": str(order.public_id), "registrationId": str(registration.public_id), "attempt": "1"}
        assert asked == {
            "mode": "payment",
            "client_reference_id": str(order.public_id),
            "customer_email": order.email,
            "locale": "fr",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery"}},
                }
            ],
            "expires_at": int((NOON + timedelta(minutes=31)).timestamp()),
            "success_url": f"{settings.SITE_URL}{page_path(registration)}?{SESSION_ID}",
            "cancel_url": f"{settings.SITE_URL}{page_path(registration)}",
            "billing_address_collection": "required",
            "adaptive_pricing": {"enabled": False},
            "automatic_tax": {"enabled": False},
            "metadata": {**names, "site": settings.SITE_NAME},
            "payment_intent_data": {"metadata": {**names, "site": settings.SITE_NAME}},
        }

    def test_speaks_the_buyers_language(self, gateway, make_registration):
        pay_at(make_registration("Alex Smith", language="en").order)

        assert gateway.asked[0]["locale"] == "en"

    def test_leaves_out_an_address_that_nobody_knows(self, gateway, order):
        Order.objects.update(email="")

        pay_at(order)

        assert "customer_email" not in gateway.asked[0]

    def test_tells_where_and_until_when_one_can_pay(self, gateway, order):
        opened = pay_at(order)

        assert opened == OpenedCheckout(
            url="https://pay.example/cs_test_1", session="cs_test_1", expires_at=NOON + timedelta(minutes=31), number=1
        )

    def test_learns_the_name_of_the_session_and_forgets_the_parameters(self, gateway, order):
        pay_at(order)

        attempt = order.checkouts.get()
        assert (attempt.session, attempt.params) == ("cs_test_1", None)
        assert Reference.objects.get(name="cs_test_1").order == order

    def test_keeps_the_place_as_long_as_one_can_pay(self, gateway, registration):
        opened = pay_at(registration.order, at=LATER)

        registration.refresh_from_db()
        assert registration.held_until == opened.expires_at == LATER + timedelta(minutes=31)

    def test_uses_the_order_and_its_attempt_as_key(self, gateway, order):
        pay_at(order)

        assert gateway.keys == {f"{order.public_id}:1": "cs_test_1"}

    @pytest.mark.django_db(transaction=True)
    def test_has_stored_the_attempt_before_stripe_is_asked(self, gateway, order):
        gateway.will(unavailable())

        with pytest.raises(GatewayUnavailable):
            pay_at(order)

        attempt = order.checkouts.get()
        assert attempt.params["expires_at"] == int(attempt.expires_at.timestamp())

    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_run_inside_a_transaction(self, gateway, order):
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            pay_at(order)

        assert gateway.asked == []


@pytest.mark.usefixtures("db")
class TestOpenCheckoutAgain:
    def test_gives_the_same_session_while_it_is_open(self, gateway, order):
        first = pay_at(order)

        again = pay_at(order, at=LATER)

        assert again == first
        assert len(gateway.asked) == 1

    def test_gives_the_address_that_stripe_tells_now(self, gateway, order):
        pay_at(order)
        gateway.sessions["cs_test_1"]["url"] = "https://pay.example/another"

        assert pay_at(order).url == "https://pay.example/another"

    def test_still_gives_it_after_a_declined_card(self, gateway, registration):
        pay_at(registration.order)
        hear(event_of(registration, "payment_intent.payment_failed"))

        assert pay_at(registration.order, at=LATER).session == "cs_test_1"

    def test_makes_a_new_one_when_it_has_expired(self, gateway, order):
        pay_at(order)
        gateway.expire_checkout_session(session="cs_test_1")

        opened = pay_at(order, at=LATER)

        assert (opened.number, opened.session) == (2, "cs_test_2")
        assert attempts_of(order) == [(1, "cs_test_1"), (2, "cs_test_2")]
        assert gateway.asked[1]["metadata"]["attempt"] == "2"

    def test_makes_a_new_one_when_a_delayed_payment_has_failed(self, gateway, registration):
        pay_at(registration.order)
        intent = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method"}
        gateway.sessions["cs_test_1"] |= {"status": "complete", "payment_intent": intent}
        hear(event_of(registration, "checkout.session.async_payment_failed", subject={"session": "cs_test_1"}))

        opened = pay_at(registration.order, at=LATER)

        registration.refresh_from_db()
        assert opened.number == 2
        assert (registration.status, registration.order.status) == ("PENDING", "PENDING")

    def test_makes_a_new_one_when_stripe_does_not_know_the_session(self, gateway, order):
        pay_at(order)
        gateway.sessions.clear()

        assert pay_at(order).number == 2

    def test_keeps_the_order_open_when_the_end_of_the_older_session_is_heard_late(self, gateway, registration):
        order = registration.order
        pay_at(order)
        gateway.expire_checkout_session(session="cs_test_1")
        pay_at(order, at=LATER)

        hear(event_of(registration, "checkout.session.expired", at=LATER, subject={"session": "cs_test_1"}))

        order.refresh_from_db()
        assert (order.status, order.attempt_number) == (OrderStatus.PENDING, 2)

    def test_leaves_in_the_history_that_the_order_waits_again(self, gateway, registration):
        order = registration.order
        pay_at(order)
        hear(event_of(registration, "payment_intent.payment_failed"))
        gateway.expire_checkout_session(session="cs_test_1")

        pay_at(order, at=LATER)

        change = order.changes.filter(field="status").last()
        assert (change.before, change.after, change.source) == ("FAILED", "PENDING", "checkout")


@pytest.mark.usefixtures("db")
class TestOpenCheckoutInTrouble:
    @pytest.mark.parametrize("was_made", [True, False])
    def test_asks_the_very_same_again_when_the_outcome_is_unknown(self, gateway, order, settings, was_made):
        gateway.will(unavailable(), after_doing=was_made)
        with pytest.raises(GatewayUnavailable):
            pay_at(order)
        settings.SITE_URL = "https://moved.example"

        opened = pay_at(order, at=NOON + timedelta(seconds=30))

        assert (opened.number, opened.session) == (1, "cs_test_1")
        assert len(gateway.sessions) == 1

    def test_takes_the_next_number_when_it_is_too_late_for_the_same_again(self, gateway, order):
        gateway.will(unavailable())
        with pytest.raises(GatewayUnavailable):
            pay_at(order)
        gateway.now = int(LATER.timestamp())

        opened = pay_at(order, at=LATER)

        assert (opened.number, attempts_of(order)) == (2, [(1, ""), (2, "cs_test_1")])

    def test_takes_the_next_number_when_what_may_have_been_made_is_over(self, gateway, order):
        gateway.will(unavailable(), after_doing=True)
        with pytest.raises(GatewayUnavailable):
            pay_at(order)

        opened = pay_at(order, at=NOON + timedelta(minutes=32))

        assert opened.number == 2

    def test_never_opens_a_second_session_beside_one_that_may_exist(self, gateway, order):
        gateway.will(unavailable(), after_doing=True)
        with pytest.raises(GatewayUnavailable):
            pay_at(order)
        gateway.will(refused("idempotency_error"))

        with pytest.raises(GatewayRefused):
            pay_at(order, at=LATER)

        assert attempts_of(order) == [(1, "")]

    def test_loses_nothing_when_stripe_refuses(self, gateway, registration):
        gateway.will(refused())

        with pytest.raises(GatewayRefused, match="too small"):
            pay_at(registration.order)

        registration.refresh_from_db()
        assert (registration.order.status, registration.holds_place) == (OrderStatus.PENDING, True)

    def test_takes_the_next_number_after_a_refusal(self, gateway, order):
        gateway.will(refused())
        with pytest.raises(GatewayRefused):
            pay_at(order)

        assert pay_at(order, at=LATER).number == 2

    def test_lets_an_event_tell_the_session_first(self, gateway, registration):
        gateway.will(unavailable(), after_doing=True)
        with pytest.raises(GatewayUnavailable):
            pay_at(registration.order)
        hear(event_of(registration, "checkout.session.completed", status="unpaid", subject={"session": "cs_test_1"}))

        with pytest.raises(OrderNotPayable, match="under way"):
            pay_at(registration.order, at=LATER)

        assert attempts_of(registration.order) == [(1, "cs_test_1")]


@pytest.mark.django_db(transaction=True)
class TestOpenCheckoutTwiceAtOnce:
    def test_makes_one_session(self, gateway, order):
        together = threading.Barrier(4)

        def click(_number: int) -> OpenedCheckout:
            try:
                together.wait(timeout=10)
                return pay_at(order)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            opened = list(pool.map(click, range(4)))

        assert {each.session for each in opened} == {"cs_test_1"}
        assert attempts_of(order) == [(1, "cs_test_1")]


@pytest.mark.usefixtures("db")
class TestOpenCheckoutRefuses:
    @pytest.mark.parametrize(
        ("status", "words"),
        [("PAID", "paid"), ("REFUNDED", "paid"), ("EXPIRED", "closed"), ("CANCELED", "closed"), ("PROCESSING", "way")],
    )
    def test_an_order_that_cannot_be_paid(self, gateway, order, status, words):
        Order.objects.filter(pk=order.pk).update(status=status, paid_at=NOON)

        with pytest.raises(OrderNotPayable, match=words):
            pay_at(order)

        assert (gateway.asked, order.checkouts.get().params) == ([], None)

    def test_a_free_order(self, gateway, order):
        Order.objects.filter(pk=order.pk).update(amount=0)

        with pytest.raises(OrderNotPayable, match="free"):
            pay_at(order)

    @pytest.mark.parametrize("payment_status", ["paid", "no_payment_required"])
    def test_a_second_payment_while_the_first_is_not_heard_of_yet(self, gateway, order, payment_status):
        pay_at(order)
        gateway.sessions["cs_test_1"] |= {"status": "complete", "payment_status": payment_status}

        with pytest.raises(OrderNotPayable, match="just been paid"):
            pay_at(order)

        order.refresh_from_db()
        assert (order.status, len(gateway.asked)) == (OrderStatus.PENDING, 1)

    @pytest.mark.parametrize("intent", [None, "pi_1", {"id": "pi_1", "status": "processing"}])
    def test_a_second_payment_while_a_delayed_one_is_under_way(self, gateway, registration, intent):
        pay_at(registration.order)
        hear(event_of(registration, "payment_intent.payment_failed"))
        gateway.sessions["cs_test_1"] |= {"status": "complete", "payment_intent": intent}

        with pytest.raises(OrderNotPayable, match="under way"):
            pay_at(registration.order, at=LATER)

    def test_to_store_a_session_over_another(self, gateway, registration, monkeypatch):
        order = registration.order
        gateway.will(unavailable(), after_doing=True)
        with pytest.raises(GatewayUnavailable):
            pay_at(order)
        original = gateway.create_checkout_session

        def answer_late(**call):
            session = original(**call)
            order.checkouts.update(session="cs_test_other")
            return session

        monkeypatch.setattr("payments.checkout.open_checkout.create_checkout_session", answer_late)

        with pytest.raises(OrderNotPayable, match="another Checkout session"):
            pay_at(order)


def test_the_fake_gateway_has_the_real_ones_signatures():
    for name in ("create_checkout_session", "retrieve_checkout_session", "expire_checkout_session"):
        real, fake = getattr(real_gateway, name), getattr(FakeGateway(), name)

        assert inspect.signature(real) == inspect.signature(fake)
