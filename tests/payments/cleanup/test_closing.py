"""Closing an order that nobody will pay: never one in which somebody still can."""

from datetime import timedelta

import pytest
from django.db import transaction

from payments.billing.models import Payment
from payments.checkout.open_checkout import open_checkout
from payments.cleanup.closing import close_order, overdue
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from tests.support.fake_gateway import refused, unavailable
from tests.support.road import NOON, event_of, hear
from tests.support.stripe_moods import FAILED_INTENT

LATER = NOON + timedelta(hours=1)


def close(order: Order, **more) -> bool:
    return close_order(order_id=order.pk, at=LATER, source="test", **more)


def state_of(order: Order) -> tuple[str, bool]:
    order = Order.objects.select_related("registration").get(pk=order.pk)
    return order.status, order.registration.holds_place


@pytest.mark.usefixtures("db")
class TestCloseOrder:
    def test_closes_an_order_without_a_session_and_frees_its_place(self, stripe, order, activity):
        moved = close(order)

        activity.refresh_from_db()
        assert (moved, state_of(order), activity.places_taken) == (True, ("EXPIRED", False), 0)
        assert stripe.calls == {}

    def test_leaves_a_row_in_the_history_and_tells_the_buyer_once(self, stripe, order):
        close(order)
        close(order)

        change = order.changes.get(field="status")
        assert (change.before, change.after, change.source) == ("PENDING", "EXPIRED", "test")
        assert [effect.kind for effect in Effect.objects.filter(order=order)] == ["registration.closed"]

    def test_says_that_nothing_moved_the_second_time(self, stripe, order):
        assert (close(order), close(order)) == (True, False)

    def test_can_close_it_as_canceled(self, stripe, order):
        close(order, status=OrderStatus.CANCELED)

        assert state_of(order) == ("CANCELED", False)

    @pytest.mark.parametrize("fields", [{"status": "expired"}, {"status": "complete", "payment_intent": FAILED_INTENT}])
    def test_closes_an_order_whose_session_is_over(self, stripe, order, fields):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", **fields)

        assert close(order)

    def test_closes_an_order_whose_session_stripe_does_not_know(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.sessions.clear()

        assert close(order)

    def test_closes_an_order_whose_session_stripe_refused(self, stripe, order):
        stripe.will(refused())
        with pytest.raises(GatewayRefused):
            open_checkout(order_id=order.pk, at=NOON)

        assert close_order(order_id=order.pk, at=NOON, source="test")

    def test_closes_the_newest_attempt_so_that_older_news_cannot_open_it_again(self, stripe, registration):
        order = registration.order
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", status="expired")
        open_checkout(order_id=order.pk, at=NOON + timedelta(minutes=40))
        stripe.becomes("cs_test_2", status="expired")

        close(order)
        hear(event_of(registration, "payment_intent.payment_failed", at=LATER), at=LATER)

        assert state_of(order) == ("EXPIRED", False)

    def test_lets_money_that_comes_late_beat_the_end(self, stripe, registration):
        close(registration.order)

        hear(event_of(registration, "checkout.session.completed", at=LATER), at=LATER)

        assert state_of(registration.order) == ("PAID", True)


@pytest.mark.usefixtures("db")
class TestCloseOrderRefuses:
    @pytest.mark.parametrize("status", ["PAID", "REFUNDED", "PROCESSING", "EXPIRED", "CANCELED"])
    def test_an_order_that_does_not_wait(self, stripe, order, status):
        Order.objects.filter(pk=order.pk).update(status=status, attempt_status=status, paid_at=NOON)

        assert not close(order)
        assert state_of(order) == (status, True)

    def test_an_order_with_money(self, stripe, order):
        Order.objects.filter(pk=order.pk).update(amount_received=100)

        assert not close(order)

    def test_an_order_with_money_in_another_currency(self, stripe, order):
        Payment.objects.create(order=order, key="pi_usd", currency="usd", received=3000, paid_at=NOON)

        assert not close(order)
        assert not overdue(at=NOON + timedelta(days=9)).filter(pk=order.pk).exists()

    @pytest.mark.parametrize(
        "fields",
        [
            {"status": "open"},
            {"status": "complete", "payment_status": "paid"},
            {"status": "complete", "payment_intent": {"id": "pi_1", "status": "processing"}},
        ],
    )
    def test_an_order_in_whose_session_money_may_come(self, stripe, order, fields):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", **fields)

        assert not close(order)
        assert state_of(order) == ("PENDING", True)

    def test_an_order_for_which_a_session_may_exist(self, stripe, order):
        stripe.will(unavailable(), after_doing=True)
        with pytest.raises(GatewayUnavailable):
            open_checkout(order_id=order.pk, at=NOON)

        assert not close_order(order_id=order.pk, at=NOON + timedelta(minutes=30), source="test")

    def test_an_order_of_which_stripe_tells_nothing(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles["retrieve"] = unavailable()

        with pytest.raises(GatewayUnavailable):
            close(order)

        assert state_of(order) == ("PENDING", True)

    def test_an_order_that_was_taken_up_again_while_stripe_was_asked(self, stripe, order, monkeypatch):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", status="expired")
        original = stripe.retrieve_checkout_session

        def answer_late(*, session):
            answer = original(session=session)
            monkeypatch.setattr("payments.stripe_api.gateway.retrieve_checkout_session", original)
            open_checkout(order_id=order.pk, at=LATER)
            return answer

        monkeypatch.setattr("payments.stripe_api.gateway.retrieve_checkout_session", answer_late)

        assert not close(order)
        assert state_of(order) == ("PENDING", True)

    @pytest.mark.django_db(transaction=True)
    def test_to_run_inside_a_transaction(self, stripe, order):
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            close(order)
