"""Subscriptions found again through the official client."""

from tests.support.billing import customer_with, price_of, subscribe
from tests.support.emulator import refusal_of


class TestList:
    def test_hides_the_canceled_ones_unless_asked(self, stripe_api, customer, price):
        running = subscribe(stripe_api, customer, price)
        ended = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.cancel(ended.id)

        def ids(**params):
            return [each.id for each in stripe_api.subscriptions.list(params).data]

        assert ids() == [running.id]
        assert ids(status="all") == [ended.id, running.id]
        assert ids(status="ended") == ids(status="canceled") == [ended.id]
        assert ids(status="trialing") == []

    def test_filters_by_customer_and_price(self, stripe_api, customer, price):
        wanted = subscribe(stripe_api, customer, price)
        other = price_of(stripe_api, 99)
        subscribe(stripe_api, customer_with(stripe_api), other)

        assert [each.id for each in stripe_api.subscriptions.list({"customer": customer.id}).data] == [wanted.id]
        assert [each.id for each in stripe_api.subscriptions.list({"price": price.id}).data] == [wanted.id]


class TestRetrieve:
    def test_refuses_what_is_not_there(self, stripe_api):
        assert refusal_of(stripe_api.subscriptions.retrieve, "sub_unknown").code == "resource_missing"
