"""The orders' screen: where the buyers live."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.admin.orders import countries_of_orders
from payments.billing.models import Subscription
from payments.ledger.models import PaymentEvent, Redelivery
from tests.support.factories import OrderFactory
from tests.support.modules import make_buyer, make_learner, make_module
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear

SUCCEEDED, LOST = "payment_intent.succeeded", "charge.dispute.closed"
DOLLARS = {"payment_intent": "pi_usd", "charge": "ch_usd", "session": "", "currency": "usd"}
LIST = reverse("admin:payments_order_changelist")


@pytest.fixture
def orders(db):
    """Two from France, one from Belgium, one from nobody knows where."""
    places = (("Lyon", "FR"), ("Nantes", "FR"), ("Gand", "BE"), ("", ""))
    return [OrderFactory(city=city, country=country) for city, country in places]


def found(page, term):
    return [order.pk for order in page.get(LIST, {"q": term}).context["cl"].result_list]


class TestSearch:
    def test_finds_an_order_by_whatever_is_a_name_of_it(self, page, order, registration, orders):
        event = order.events.get(type="checkout.session.completed")
        PaymentEvent.objects.filter(pk=event.pk).update(request_id="req-1")
        Redelivery.objects.create(event=event, request_id="req-2", received_at=NOON)
        registration.external_id = "old-42"
        registration.save()

        for name in (
            order.number, str(order.public_id), str(registration.public_id), "old-42", order.email,
            order.checkouts.get().session, order.payments.get().key, order.refunds.get().stripe_id,
            order.disputes.get().stripe_id, event.stripe_event_id, "req-1", "req-2",
        ):  # fmt: skip
            assert found(page, name) == [order.pk], name
        assert found(page, "pi_nobody") == []

    def test_finds_the_order_that_began_a_subscription(self, page, order, subscription):
        Subscription.objects.update(order=order)

        for name in ("sub_ada", "in_ada", "pi_ada", "ch_ada", "cus_ada"):
            assert found(page, name) == [order.pk], name


class TestWhereBuyersLive:
    def test_is_told_in_the_list_and_on_the_page(self, page, orders):
        address = reverse("admin:payments_order_change", args=[orders[0].pk])

        assert "Lyon, FR" in text_of(page.get(LIST))
        assert "Lyon" in text_of(page.get(address))

    def test_is_a_filter(self, page, orders):
        found = page.get(LIST, {"country": "FR"}).context["cl"].queryset

        assert set(found) == set(orders[:2])


class TestCountriesOfOrders:
    def test_are_told_once_each(self, orders):
        assert countries_of_orders() == ["BE", "FR"]

    def test_are_none_where_nobody_has_bought(self, db):
        assert countries_of_orders() == []

    def test_are_asked_for_once(self, orders):
        with CaptureQueriesContext(connection) as queries:
            countries_of_orders()

        assert len(queries) == 1


class TestMoney:
    """Each currency for itself, and what disputes took apart."""

    def told(self, page, registration):
        return text_of(page.get(reverse("admin:payments_order_change", args=[registration.order_id])))

    def test_shows_what_came_in_another_currency_in_its_own(self, page, registration):
        hear(event_of(registration, SUCCEEDED, subject=DOLLARS, amount=3000))

        told = self.told(page, registration)

        assert "$30.00, expected €49.00" in told
        assert "€30.00" not in told

    def test_can_be_refunded_when_only_money_of_another_currency_is_here(self, page, registration):
        hear(event_of(registration, SUCCEEDED, subject=DOLLARS, amount=3000))

        shown = page.post(LIST, {"action": "refund", "_selected_action": [registration.order_id]}, follow=True)

        assert "$30.00 is refunded to the original payment method" in text_of(shown)

    def test_shows_what_a_dispute_took(self, page, registration):
        hear(event_of(registration, SUCCEEDED), event_of(registration, LOST, status="lost", amount=900))

        told = self.told(page, registration)

        assert "Lost to disputes €9.00 Net amount €40.00" in " ".join(told.replace(":", " ").split())

    def test_says_that_the_bank_only_asks(self, page, registration):
        hear(event_of(registration, SUCCEEDED), event_of(registration, LOST, status="warning_needs_response"))

        told = self.told(page, registration)

        assert "The bank asks: answer expected" in told
        assert "Disputed" not in told


class TestWhatItBought:
    def page_of(self, page, order):
        return page.get(reverse("admin:payments_order_change", args=[order.pk])).content.decode()

    def test_leads_to_the_registration(self, page, registration):
        told = self.page_of(page, registration.order)

        assert reverse("admin:registrations_registration_change", args=[registration.pk]) in told

    def test_leads_to_the_module_and_the_access(self, page):
        purchase = make_buyer(make_learner(), make_module())

        told = self.page_of(page, purchase.order)

        assert reverse("admin:modules_access_module_change", args=[purchase.module_id]) in told
        access = purchase.order.module_accesses.get()
        assert f'{reverse("admin:modules_access_moduleaccess_change", args=[access.pk])}">{access.number}</a>' in told
