"""The calls of the diagnosis against the emulator, which takes nothing but what the SDK's types allow."""

import pytest
from django.conf import settings

from payments.stripe_api import lookups
from tests.support.billing import customer_with, price_of, subscribe
from tests.support.subscriber import emulate


@pytest.fixture
def stripe_api(db, monkeypatch):
    return emulate(monkeypatch)


class TestLookUp:
    def test_knows_what_a_subscription_has_left_behind(self, stripe_api):
        begun = subscribe(stripe_api, customer_with(stripe_api), price_of(stripe_api))
        [charge] = stripe_api.charges.list().data

        assert lookups.look_up_invoice(begun.latest_invoice).raw["status"] == "paid"
        assert lookups.look_up_charge(charge.id).raw["paid"]

    def test_says_of_an_event_how_many_endpoints_have_not_confirmed_it(self, stripe_api):
        subscribe(stripe_api, customer_with(stripe_api), price_of(stripe_api))
        params = {"types": ["invoice.paid", "charge.succeeded"], "created": {"gte": 1, "lte": 9_999_999_999}}

        [page] = lookups.pages("events", params)

        assert {event["type"] for event in page} == {"invoice.paid", "charge.succeeded"}
        assert lookups.look_up_event(page[0]["id"]).raw["pending_webhooks"] == 0

    def test_lists_where_events_are_sent(self, stripe_api):
        endpoint = {"url": "https://shop.example/stripe/webhooks", "enabled_events": ["*"]}
        stripe_api.webhook_endpoints.create(endpoint)

        [listed] = lookups.webhook_endpoints()

        assert (listed["url"], listed["status"], listed["enabled_events"]) == (endpoint["url"], "enabled", ["*"])

    def test_knows_whose_key_it_is(self, stripe_api):
        account = lookups.look_up_account().raw

        assert account["id"].startswith("acct_")
        assert account["charges_enabled"] is True
        assert account["settings"]["dashboard"]["display_name"] == "Emulated account"

    def test_lists_how_the_portal_is_set_up(self, stripe_api):
        [portal] = lookups.portal_configurations()

        assert (portal["is_default"], portal["active"]) == (True, True)

    def test_knows_the_version_of_the_library(self):
        assert lookups.sdk_api_version() == settings.STRIPE_API_VERSION
