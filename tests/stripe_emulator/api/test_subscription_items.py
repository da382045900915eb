"""Items of subscriptions, one by one, through the official client."""

import pytest

from tests.support.billing import customer_with, price_of, subscribe, types_since
from tests.support.emulator import refusal_of


@pytest.fixture
def subscription(stripe_api):
    return subscribe(stripe_api, customer_with(stripe_api), price_of(stripe_api))


@pytest.fixture
def item(subscription):
    return subscription["items"].data[0]


class TestSubscriptionItems:
    def test_are_listed_and_found(self, stripe_api, subscription, item):
        listed = stripe_api.subscription_items.list({"subscription": subscription.id})

        assert [each.id for each in listed.data] == [item.id]
        assert stripe_api.subscription_items.retrieve(item.id).price.id == item.price.id

    def test_change_their_quantity_and_metadata(self, stripe_api, item):
        changed = stripe_api.subscription_items.update(item.id, {"quantity": 4, "metadata": {"hall": "B"}})

        assert (changed.quantity, changed.metadata.hall) == (4, "B")
        assert types_since()[-1] == "customer.subscription.updated"

    def test_come_and_go(self, stripe_api, subscription, item):
        added = stripe_api.subscription_items.create(
            {"subscription": subscription.id, "price": price_of(stripe_api, 300).id}
        )
        assert added.current_period_end == item.current_period_end

        stripe_api.subscription_items.delete(item.id)

        left = stripe_api.subscriptions.retrieve(subscription.id)["items"].data
        assert [each.id for each in left] == [added.id]

    def test_are_never_all_deleted(self, stripe_api, item):
        assert refusal_of(stripe_api.subscription_items.delete, item.id).param == "items"

    def test_that_nobody_has_are_refused(self, stripe_api):
        assert refusal_of(stripe_api.subscription_items.retrieve, "si_unknown").code == "resource_missing"
        assert refusal_of(stripe_api.subscription_items.update, "si_unknown", {"quantity": 1}).http_status == 404
