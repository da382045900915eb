import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from payments.billing.models import Subscription
from stripe_emulator.models import StoredObject
from tests.support.emulator import official_client
from tests.support.pages import text_of
from tests.support.resync import heard
from tests.support.subscriber import unreachable
from tests.support.subscriptions import make_plan


def agreed_on(page):
    """What the button of the page sends."""
    return {"agreed": re.search(r'name="agreed" value="([^"]+)"', page.content.decode())[1]}


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
        assert "You pay today €26.00" in page
        assert "Change now and pay €26.00" in page
        assert Subscription.objects.get().plan.slug == "monthly"

    def test_says_when_the_next_payment_is_due(self, browser, subscribed):
        page = text_of(browser.get("/subscription/change/yearly"))

        year = datetime.now(UTC).year + 1
        assert re.search(rf"The next payment, €30\.00, is due on .+ {year}\.", page)

    def test_changes_the_plan_for_the_sum_that_was_shown_whatever_passed_meanwhile(self, browser, subscribed):
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10), tick=False):
            agreed = agreed_on(browser.get("/subscription/change/yearly"))
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=35), tick=False):
            response = browser.post("/subscription/change/yearly", agreed, follow=True)

        assert "Your plan is changed." in text_of(response)
        assert "€30.00 a year" in text_of(response)
        paid = StoredObject.objects.filter(kind="invoice").order_by("number").last().data
        assert paid["amount_paid"] == 2600

    def test_credits_what_is_left_of_the_year_and_says_what_becomes_of_it(self, browser, subscribed):
        browser.post("/subscription/change/yearly", agreed_on(browser.get("/subscription/change/yearly")))

        page = text_of(browser.get("/subscription/change/monthly"))

        assert "You pay today €0.00" in page
        assert "You keep a credit of €26.00" in page
        assert "Your credit is taken off first." in page

    @pytest.mark.parametrize("what", ["nothing", "another plan", "spoilt", "too late"])
    def test_charges_nothing_that_was_not_shown(self, browser, subscribed, what):
        page = browser.get("/subscription/change/yearly")
        told = {} if what == "nothing" else agreed_on(page)
        if what == "spoilt":
            told["agreed"] = told["agreed"][:-1] + ("0" if told["agreed"][-1] != "0" else "1")
        if what == "another plan":
            make_plan(slug="gold", amount=900, name="Gold", price="")
        minutes = 40 if what == "too late" else 1
        address = "/subscription/change/gold" if what == "another plan" else "/subscription/change/yearly"

        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=False):
            response = browser.post(address, told)

        assert response.status_code == 409
        assert "Please check the amount once more" in text_of(response)
        assert Subscription.objects.get().plan.slug == "monthly"
        assert StoredObject.objects.filter(kind="invoice").count() == 1

    def test_shows_the_sum_anew_where_it_has_moved(self, browser, subscribed, stripe_api):
        agreed = agreed_on(browser.get("/subscription/change/yearly"))
        customer = StoredObject.objects.get(stripe_id=subscribed).data["customer"]
        credit = StoredObject.objects.get(stripe_id=customer)
        credit.change(balance=-100)

        response = browser.post("/subscription/change/yearly", agreed)

        assert response.status_code == 409
        assert "Credit from before −€1.00 You pay today €25.00" in text_of(response)

    def test_charges_nothing_today_during_a_trial(self, browser, subscribed):
        stored = StoredObject.objects.get(stripe_id=subscribed)
        end = int((datetime.now(UTC) + timedelta(days=9)).timestamp())
        official_client().v1.subscriptions.update(subscribed, {"trial_end": end, "proration_behavior": "none"})
        Subscription.objects.update(status=stored.data["status"])
        heard()

        page = text_of(browser.get("/subscription/change/yearly"))

        assert "You pay today €0.00" in page
        assert "after that the new price is due" in page

    def test_guesses_no_sum_when_stripe_does_not_answer(self, browser, subscribed, monkeypatch):
        with unreachable(monkeypatch):
            response = browser.get("/subscription/change/yearly")

        page = text_of(response)
        assert response.status_code == 503
        assert "cannot be shown at the moment" in page
        assert "Try again" in page
        assert "pay today" not in page
        assert "agreed" not in response.content.decode()

    def test_leads_back_where_there_is_nothing_to_change(self, browser, subscribed):
        assert browser.get("/subscription/change/monthly")["Location"] == "/subscription/change/"

    def test_says_that_the_bank_has_declined(self, browser, subscribed, stripe_api):
        customer = StoredObject.objects.get(stripe_id=subscribed).data["customer"]
        card = stripe_api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
        stripe_api.subscriptions.update(subscribed, {"default_payment_method": card.id})

        response = browser.post("/subscription/change/yearly", agreed_on(browser.get("/subscription/change/yearly")))

        assert response.status_code == 402
        assert "your subscription is as it was" in text_of(response)

    def test_says_that_stripe_does_not_answer(self, browser, subscribed, monkeypatch):
        agreed = agreed_on(browser.get("/subscription/change/yearly"))
        with unreachable(monkeypatch):
            response = browser.post("/subscription/change/yearly", agreed)

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
