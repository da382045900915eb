from dataclasses import astuple

import pytest

from payments.billing.models import Customer
from payments.orders.models import Order
from payments.products import follow_orders, language_of, product_of
from tests.support.factories import NOON, OrderFactory
from tests.support.subscriber import make_user
from tests.support.subscriptions import make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return OrderFactory(kind="plan", user=make_user(language="fr"), plan=make_plan(), amount=400)


class TestPlanProduct:
    def test_speaks_the_persons_language_and_leads_to_their_page(self, order):
        assert language_of(order) == "fr"
        assert product_of(order).page_of(order) == "/subscription/"

    def test_holds_nothing_and_follows_nothing(self, order):
        product_of(order).hold(order, until=NOON)
        result = follow_orders([order], at=NOON)

        assert (result.effects, result.questions, result.changes) == ([], [], [])


class TestRecurringOf:
    def test_names_plan_price_and_the_oldest_customer_that_is_left(self, order):
        Customer.objects.create(stripe_id="cus_gone", user=order.user, deleted_at=NOON)
        Customer.objects.create(stripe_id="cus_2", user=order.user)
        Customer.objects.create(stripe_id="cus_3", user=order.user)

        assert astuple(product_of(order).recurring_of(order)) == ("monthly", "cus_2", "price_monthly", "month")

    def test_names_nobody_for_an_order_whose_person_is_gone(self, order):
        order.user.delete()
        order = Order.objects.get()

        assert product_of(order).recurring_of(order).customer == ""

    def test_is_nothing_for_what_is_paid_once(self):
        order = OrderFactory()

        assert product_of(order).recurring_of(order) is None
