"""The orders' screen: where the buyers live."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.admin.countries import countries_of_orders
from tests.support.factories import OrderFactory
from tests.support.pages import text_of

LIST = reverse("admin:payments_order_changelist")


@pytest.fixture
def orders(db):
    """Two from France, one from Belgium, one from nobody knows where."""
    places = (("Lyon", "FR"), ("Nantes", "FR"), ("Gand", "BE"), ("", ""))
    return [OrderFactory(city=city, country=country) for city, country in places]


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
