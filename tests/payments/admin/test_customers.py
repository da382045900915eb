"""The customers' screen: one person with all that they have bought."""

import pytest
from django.urls import reverse

from payments.admin.kit.display import page_of
from payments.billing.models import Customer
from tests.support.factories import OrderFactory, UserFactory
from tests.support.pages import text_of

LIST = reverse("admin:payments_customer_changelist")


@pytest.fixture
def ada(subscription):
    customer = subscription.customer
    customer.user = UserFactory(email="ada@example.com")
    customer.save()
    return customer


def own_page(row):
    return reverse("admin:payments_customer_change", args=[row.pk])


class TestList:
    def test_says_who_it_is_and_what_they_have(self, page, ada):
        text = text_of(page.get(LIST))

        for words in ("ada@example.com", "Ada", "Lyon", "cus_ada", "Active"):
            assert words in text

    @pytest.mark.parametrize("name", ["cus_ada", "ADA@example.com", "sub_ada", "Ada", "da@exam", "ada example.com"])
    def test_finds_by_any_id_and_by_part_of_name_or_address(self, page, ada, make_subscriber, name):
        make_subscriber("grace")

        assert list(page.get(LIST, {"q": name}).context["cl"].queryset) == [ada]


class TestPage:
    def test_links_account_subscriptions_and_orders(self, page, ada, subscription):
        order = OrderFactory(email="ada@example.com", label="Pottery")

        content = page.get(own_page(ada)).content.decode()

        for row in (ada.user, subscription, order):
            assert page_of(row) in content
        assert "€49.00" in content

    def test_shows_nobody_elses_orders(self, page, ada):
        Customer.objects.filter(pk=ada.pk).update(email="")
        OrderFactory(email="", label="Somebody’s")

        assert "Somebody’s" not in text_of(page.get(own_page(ada)))
