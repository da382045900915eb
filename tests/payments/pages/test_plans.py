import pytest

from modules_access.models import PlanOpening
from payments.billing.models import Plan
from payments.orders.models import Order
from payments.resync import on_return
from tests.support.modules import make_module
from tests.support.pages import text_of
from tests.support.subscriber import pay, unreachable


class TestPlans:
    def test_shows_what_is_on_sale_to_everybody(self, visitor):
        Plan.objects.filter(slug="yearly").update(is_on_sale=False)

        page = text_of(visitor.get("/plans/"))

        assert "Premium €4.00 a month" in page
        assert "€30.00" not in page

    def test_asks_who_is_not_signed_in_to_do_so_first(self, visitor):
        assert 'href="/plans/yearly/"' in visitor.get("/plans/").content.decode()
        page = visitor.get("/plans/yearly/").content.decode()
        for door in ("sign-in", "sign-up"):
            assert f'href="/account/{door}/?next=/plans/yearly/"' in page

    def test_say_what_they_open_and_what_the_longer_one_saves(self, visitor):
        Plan.objects.filter(slug="yearly").update(amount=3000)

        page = text_of(visitor.get("/plans/"))

        assert "€2.50 a month · save 37 %" in page
        assert page.count("All modules, those to come as well") == 2
        assert page.count("best value") == 1

    def test_compare_only_what_opens_the_same(self, visitor):
        Plan.objects.filter(slug="yearly").update(amount=3000)
        opening = PlanOpening.objects.create(plan=Plan.objects.get(slug="monthly"), is_all=False)
        opening.modules.add(make_module())

        page = text_of(visitor.get("/plans/"))

        assert "save" not in page
        assert "€2.50 a month" in page

    def test_offers_a_change_to_who_has_one(self, browser, subscribed):
        page = browser.get("/plans/")

        assert "your plan" in text_of(page)
        assert "/subscription/change/yearly" in page.content.decode()
        assert "/subscribe" not in page.content.decode()

    def test_says_so_when_nothing_is_on_sale(self, visitor):
        Plan.objects.update(is_on_sale=False)

        assert "No plan is on sale" in text_of(visitor.get("/plans/"))

    def test_is_linked_from_every_public_page(self, visitor):
        assert 'href="/plans/"' in visitor.get("/").content.decode()


class TestSubscribePage:
    def test_leads_to_the_payment(self, browser):
        response = browser.post("/plans/monthly/subscribe")

        assert response.status_code == 303
        assert "/pay/cs_test_" in response["Location"]

    def test_leads_to_the_sign_in_and_from_there_back_to_the_plan(self, visitor):
        response = visitor.post("/plans/monthly/subscribe")

        assert (response.status_code, response["Location"]) == (303, "/account/sign-in/?next=/plans/monthly/")
        assert not Order.objects.exists()

    @pytest.mark.parametrize(
        ("plan", "leads_to"), [("monthly", "/account/?subscription=already"), ("yearly", "/subscription/change/yearly")]
    )
    def test_never_leads_to_a_second_subscription(self, browser, subscribed, plan, leads_to):
        assert browser.post(f"/plans/{plan}/subscribe")["Location"] == leads_to
        assert Order.objects.count() == 1

    def test_knows_only_what_is_on_sale(self, browser):
        Plan.objects.update(is_on_sale=False)

        assert browser.post("/plans/monthly/subscribe").status_code == 404

    def test_says_so_when_stripe_does_not_answer(self, browser, monkeypatch):
        with unreachable(monkeypatch):
            response = browser.post("/plans/monthly/subscribe")

        assert response.status_code == 503
        assert "This is not possible at the moment" in text_of(response)
        assert not Order.objects.exists()

    def test_has_nothing_to_see(self, browser):
        assert browser.get("/plans/monthly/subscribe")["Location"] == "/plans/monthly/"

    def test_counts_as_a_payment(self, browser, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        browser.post("/plans/monthly/subscribe")

        assert browser.post("/plans/monthly/subscribe").status_code == 429


class TestReturning:
    @pytest.fixture
    def asked_in_vain(self, monkeypatch):
        """Stripe is asked no more."""
        monkeypatch.setattr(on_return, "PATIENCE", ())

    def returns(self, browser, *, looks=""):
        session = Order.objects.get().checkouts.get().session
        return browser.get("/subscription/", {"session_id": session, **({"looks": looks} if looks else {})})

    def test_leads_on_at_once_where_only_stripe_knows(self, browser):
        pay(browser.post("/plans/monthly/subscribe")["Location"])

        assert self.returns(browser)["Location"] == "/account/?subscription=began"

    @pytest.mark.usefixtures("asked_in_vain")
    def test_waits_for_the_news_and_looks_again_by_itself(self, browser):
        pay(browser.post("/plans/monthly/subscribe")["Location"])

        response = self.returns(browser)

        assert "Payment received, being confirmed" in text_of(response)
        assert response["Refresh"].startswith("3; url=/subscription/?session_id=cs_test_")

    @pytest.mark.usefixtures("asked_in_vain")
    def test_gives_up_looking_but_not_the_order(self, browser):
        pay(browser.post("/plans/monthly/subscribe")["Location"])

        response = self.returns(browser, looks=15)

        assert "Refresh" not in response
        assert Order.objects.get().number in text_of(response)

    def test_goes_on_to_the_account_as_soon_as_it_has_begun(self, browser, subscribed):
        assert self.returns(browser)["Location"] == "/account/?subscription=began"

    @pytest.mark.parametrize("session", ["", "cs_test_of_somebody_else"])
    def test_leads_whoever_did_not_pay_to_the_account(self, browser, session):
        assert browser.get("/subscription/", {"session_id": session})["Location"] == "/account/"

    def test_is_for_who_is_signed_in(self, visitor):
        assert visitor.get("/subscription/")["Location"] == "/account/sign-in/?next=/subscription/"
