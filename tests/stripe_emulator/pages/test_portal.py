"""The Customer Portal, as a browser asks for it."""

import pytest
from django.test import Client

from stripe_emulator.models import Event
from tests.support.billing import advance_past, invoices_of, stored, subscribe
from tests.support.mails import english_in
from tests.support.pages import text_of

WORKS, IS_KEPT_AND_FAILS, FAILS = "5555555555554444", "4000000000000341", "4000000000000002"


@pytest.fixture(autouse=True)
def emulator(db, settings):
    settings.ROOT_URLCONF = "stripe_emulator.urls"


@pytest.fixture
def subscription(stripe_api, customer, price):
    """15.00 a month, paid with the customer's Visa card."""
    method = customer.invoice_settings.default_payment_method
    return subscribe(stripe_api, customer, price, default_payment_method=method)


@pytest.fixture
def browser():
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def portal(stripe_api, customer):
    def open_portal(**params):
        told = {"customer": customer.id, "return_url": "https://seller.example/account/", **params}
        return f"/portal/{stripe_api.billing_portal.sessions.create(told).id}"

    return open_portal


def card_of(subscription):
    return stored(stored(subscription.id)["default_payment_method"])["card"]["last4"]


class TestPage:
    def test_shows_card_subscription_invoices_and_the_way_back(self, browser, portal, subscription):
        answer = browser.get(portal())

        assert "Gold , €15.00 every month. The next payment is on" in text_of(answer)
        assert "Payments are made with Visa •••• 4242." in text_of(answer)
        assert "paid" in text_of(answer)
        assert 'href="https://seller.example/account/"' in answer.content.decode()

    def test_is_there_for_who_has_nothing_yet(self, browser, portal, stripe_api):
        nobody = stripe_api.customers.create({"email": "bob@example.com"})

        assert "There is no card yet." in text_of(browser.get(portal(customer=nobody.id)))

    def test_speaks_the_sellers_language(self, browser, portal, subscription):
        answer = browser.get(portal(locale="fr"))

        assert english_in(text_of(answer)) == []

    def test_is_not_there_for_an_unknown_session(self, browser):
        assert browser.get("/portal/bps_unknown").status_code == 404


class TestCard:
    def test_becomes_what_everything_is_paid_with(self, browser, portal, subscription, customer):
        browser.post(portal(), {"do": "card", "about": WORKS})

        assert card_of(subscription) == "4444"
        default = stored(customer.id)["invoice_settings"]["default_payment_method"]
        assert stored(default)["card"]["last4"] == "4444"
        told = Event.objects.values_list("type", flat=True)
        assert {"payment_method.attached", "customer.updated", "customer.subscription.updated"} <= {*told}

    def test_that_is_declined_changes_nothing(self, browser, portal, subscription):
        answer = browser.post(portal(), {"do": "card", "about": FAILS})

        assert answer.status_code == 402
        assert "The bank has declined this card." in text_of(answer)
        assert card_of(subscription) == "4242"

    def test_cannot_be_any_number(self, browser, portal, subscription):
        browser.post(portal(), {"do": "card", "about": "4000002500003155"})

        assert card_of(subscription) == "4242"


class TestInvoice:
    def test_that_is_open_can_be_paid(self, browser, portal, subscription, stripe_api):
        address = portal()
        browser.post(address, {"do": "card", "about": IS_KEPT_AND_FAILS})
        advance_past(stripe_api, subscription)
        assert stored(subscription.id)["status"] == "past_due"

        browser.post(address, {"do": "card", "about": WORKS})
        browser.post(address, {"do": "pay", "about": invoices_of(stripe_api, subscription)[-1].id})

        assert stored(subscription.id)["status"] == "active"

    def test_of_somebody_else_stays_theirs(self, browser, portal, subscription, stripe_api):
        browser.post(portal(), {"do": "card", "about": IS_KEPT_AND_FAILS})
        advance_past(stripe_api, subscription)
        browser.post(portal(), {"do": "card", "about": WORKS})
        stranger = stripe_api.customers.create({})

        browser.post(portal(customer=stranger.id), {"do": "pay", "about": stored(subscription.id)["latest_invoice"]})

        assert stored(subscription.id)["status"] == "past_due"


class TestSubscription:
    def test_ends_with_its_period_and_goes_on_after_all(self, browser, portal, subscription):
        browser.post(portal(), {"do": "end", "about": subscription.id})
        assert stored(subscription.id)["cancel_at_period_end"] is True

        browser.post(portal(), {"do": "keep", "about": subscription.id})
        assert stored(subscription.id)["cancel_at_period_end"] is False

    def test_of_somebody_else_stays_as_it_is(self, browser, portal, subscription, stripe_api):
        stranger = stripe_api.customers.create({})

        browser.post(portal(customer=stranger.id), {"do": "end", "about": subscription.id})

        assert stored(subscription.id)["cancel_at_period_end"] is False
