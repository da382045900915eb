from urllib.parse import urlsplit

import pytest

from payments.billing.models import Subscription
from stripe_emulator.models import StoredObject
from tests.support.pages import text_of
from tests.support.subscriber import unreachable

PAGES = ("/subscription/change/yearly", "/subscription/cancel", "/subscription/resume", "/subscription/portal")


class TestOffers:
    def test_shows_the_other_plans(self, browser, subscribed):
        page = text_of(browser.get("/subscription/change/"))

        assert "€30.00 a year" in page
        assert page.count("Choose") == 1

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"cancel_at": "2030-01-01T00:00Z"}, "let your subscription go on first"),
            ({"status": "past_due"}, "Once your card works again"),
            ({"currency": "usd"}, "There is no other plan"),
        ],
    )
    def test_says_why_there_is_none(self, browser, subscribed, changes, words):
        Subscription.objects.update(**changes)

        assert words in text_of(browser.get("/subscription/change/"))

    def test_leads_whoever_has_none_to_the_plans(self, browser):
        assert browser.get("/subscription/change/")["Location"] == "/plans/"


class TestChangePage:
    def test_shows_before_and_after_and_changes_nothing(self, browser, subscribed):
        page = text_of(browser.get("/subscription/change/yearly"))

        assert "Until now Premium, €4.00 a month From now on Premium, €30.00 a year" in page
        assert "a new period begins today" in page
        assert Subscription.objects.get().plan.slug == "monthly"

    def test_changes_the_plan(self, browser, subscribed):
        response = browser.post("/subscription/change/yearly", follow=True)

        assert "Your plan is changed." in text_of(response)
        assert "€30.00 a year" in text_of(response)

    def test_leads_back_where_there_is_nothing_to_change(self, browser, subscribed):
        assert browser.get("/subscription/change/monthly")["Location"] == "/subscription/change/"

    def test_says_that_the_bank_has_declined(self, browser, subscribed, stripe_api):
        customer = StoredObject.objects.get(stripe_id=subscribed).data["customer"]
        card = stripe_api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
        stripe_api.subscriptions.update(subscribed, {"default_payment_method": card.id})

        response = browser.post("/subscription/change/yearly")

        assert response.status_code == 402
        assert "your subscription is as it was" in text_of(response)

    def test_says_that_stripe_does_not_answer(self, browser, subscribed, monkeypatch):
        with unreachable(monkeypatch):
            response = browser.post("/subscription/change/yearly")

        assert response.status_code == 503
        assert "This is not possible at the moment" in text_of(response)


class TestCancelPage:
    def test_says_until_when_it_goes_on_and_cancels_nothing(self, browser, subscribed):
        page = text_of(browser.get("/subscription/cancel"))

        assert "It stays active until" in page
        assert Subscription.objects.get().cancel_at is None

    def test_cancels_and_offers_the_way_back(self, browser, subscribed):
        page = text_of(browser.post("/subscription/cancel", follow=True))

        assert "Your subscription is canceled." in page
        assert "It ends on" in page
        assert "Keep my subscription" in page

    def test_leads_whoever_has_canceled_back(self, browser, subscribed):
        browser.post("/subscription/cancel")

        assert browser.get("/subscription/cancel")["Location"] == "/account/"

    def test_can_be_done_whatever_was_paid_before(self, browser, subscribed, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        browser.post("/plans/monthly/subscribe")

        assert browser.post("/subscription/cancel").status_code == 303


class TestResumePage:
    def test_lets_it_go_on(self, browser, subscribed):
        browser.post("/subscription/cancel")

        page = text_of(browser.post("/subscription/resume", follow=True))

        assert "Your subscription goes on." in page
        assert "Next payment: " in page


class TestPortalPage:
    def test_leads_to_stripe(self, browser, subscribed):
        response = browser.post("/subscription/portal")

        assert response.status_code == 303
        assert urlsplit(response["Location"]).path.startswith("/portal/bps_")

    def test_leads_whoever_never_subscribed_back(self, browser):
        assert browser.post("/subscription/portal")["Location"] == "/account/"


class TestOwnPages:
    @pytest.mark.parametrize("page", PAGES)
    def test_are_for_who_is_signed_in(self, visitor, page):
        for answer in (visitor.get(page), visitor.post(page)):
            assert answer["Location"] == f"/account/sign-in/?next={page}"

    @pytest.mark.parametrize("page", ["/subscription/change/yearly", "/subscription/cancel", "/subscription/resume"])
    def test_lead_whoever_has_none_back(self, browser, page):
        assert browser.post(page)["Location"] == "/account/"
