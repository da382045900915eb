"""The screen "Stripe set-up": nothing is asked before the button is pressed."""

import pytest
from django.urls import reverse

from payments.endpoints.drift import check_drift
from tests.support.factories import NOON
from tests.support.pages import text_of
from tests.support.set_up import site_in_order

ADDRESS = "admin:stripe_setup"


@pytest.fixture
def site(settings, monkeypatch, db):
    with site_in_order(settings, monkeypatch) as made:
        yield made


class TestStripeSetup:
    def test_asks_nobody_until_it_is_told(self, page, site):
        text = text_of(page.get(reverse(ADDRESS)))

        assert "Nothing was checked yet." in text
        assert site.web.asked == []

    def test_shows_each_rule_with_its_state_and_remedy(self, page, site):
        site.stripe.endpoints.clear()

        text = text_of(page.get(reverse(ADDRESS), {"check": "1"}))

        assert "1 thing is wrong." in text
        assert "OK There is a key (…1234), of test mode." in text
        assert "fault No webhook endpoint at Stripe leads to this site (127.0.0.1): none at all." in text
        assert "manage.py stripe_webhooks apply" in text
        assert "Why do webhooks fail? No delivery was refused in the last 24 hours." in text
        assert "Check again" in text

    def test_shows_what_the_daily_look_has_found(self, page, site):
        site.endpoint["status"] = "disabled"
        check_drift(at=NOON)

        text = text_of(page.get(reverse(ADDRESS)))

        assert "The webhook endpoint is compared every ten minutes, last on March 2, 2026" in text
        assert "is disabled at Stripe: no event comes." in text

    def test_needs_the_right_to_diagnose(self, client, db):
        assert client.get(reverse(ADDRESS)).status_code == 302
