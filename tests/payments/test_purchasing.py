"""What buying a module and subscribing to a plan have in common."""

import pytest

from payments import purchasing
from payments.checkout.attempts import OrderNotPayable
from payments.orders.models import Order
from payments.purchasing import MAX_ATTEMPTS, PaymentUnderWay, close_waiting_orders, find_checkout_url, lead_to_checkout
from payments.statuses import OrderStatus
from tests.support.factories import NOON, OrderFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(registration):
    return registration.order


@pytest.fixture
def paid_just_now(monkeypatch):
    """At Stripe; nobody has told us."""

    def refuse(**_order):
        raise OrderNotPayable("just paid")

    monkeypatch.setattr(purchasing, "open_checkout", refuse)


class TestLeadToCheckout:
    def test_asks_again_when_another_tab_has_begun_something(self, gateway, order):
        answers = [None, order]

        url = lead_to_checkout(lambda: answers.pop(0), at=NOON)

        assert url == find_checkout_url(order, at=NOON)
        assert len(gateway.sessions) == 1

    def test_asks_again_when_it_was_paid_a_moment_ago(self, paid_just_now, order):
        answers = [order] * MAX_ATTEMPTS

        with pytest.raises(PaymentUnderWay):
            lead_to_checkout(lambda: answers.pop(0), at=NOON)

        assert answers == []

    def test_opens_no_page_for_what_costs_nothing(self, gateway, order):
        Order.objects.update(amount=0)
        order.refresh_from_db()

        assert lead_to_checkout(lambda: order, at=NOON) == ""

        assert Order.objects.get().status == OrderStatus.PAID
        assert gateway.sessions == {}


class TestFindCheckoutUrl:
    def test_leads_nowhere_what_was_paid_a_moment_ago(self, paid_just_now, order):
        assert find_checkout_url(order, at=NOON) == ""


class TestCloseWaitingOrders:
    @pytest.fixture
    def asked(self, monkeypatch) -> list[int]:
        """The orders that were asked about at Stripe; of any, a payment may still come."""
        asked: list[int] = []

        def keep(*, order_id, at, source):
            asked.append(order_id)
            return False

        monkeypatch.setattr(purchasing, "close_unless_paid", keep)
        return asked

    def test_stops_at_one_whose_payment_may_still_come(self, asked, order):
        OrderFactory()

        with pytest.raises(PaymentUnderWay):
            close_waiting_orders(Order.objects.all(), at=NOON, source="test")

        assert asked == [order.pk]

    def test_leaves_alone_what_nobody_can_pay(self, asked):
        for status in (OrderStatus.PAID, OrderStatus.EXPIRED, OrderStatus.PROCESSING):
            OrderFactory(status=status)

        close_waiting_orders(Order.objects.all(), at=NOON, source="test")

        assert asked == []
