import json
import re
from datetime import timedelta

import pytest

from accounts.pictures.upload import keep_picture
from modules_access.models import Module, ModuleAccess, PlanOpening, Purchase
from modules_access.pages.catalogue import PER_PAGE
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Plan
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import OrderStatus
from tests.accounts.shop.test_shop import picture_file
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token
from tests.support.pages import text_of
from tests.support.resync import heard
from tests.support.subscriber import pay, unreachable
from tests.support.subscriptions import make_plan


class TestCatalogue:
    def test_shows_what_is_on_sale_with_its_price_and_how_long_it_lasts(self, visitor, module):
        make_module("singing", price=0, access_days=30)
        make_module("hidden", is_on_sale=False)

        page = text_of(visitor.get("/modules/"))

        assert "Drawing Lines and light Lifetime access €49.00 View module – Drawing" in page
        assert "Singing Access for 30 days Free" in page
        assert "Hidden" not in page

    def test_stands_in_the_order_that_staff_chose(self, visitor):
        make_module("later", position=2)
        make_module("first", position=1)

        page = text_of(visitor.get("/modules/"))

        assert page.index("First") < page.index("Later")

    def test_marks_what_one_can_enter(self, browser, ada, module):
        assert "yours" not in text_of(browser.get("/modules/"))

        make_buyer(ada, module)

        assert "yours Drawing" in text_of(browser.get("/modules/"))

    @pytest.mark.parametrize("give", [make_grant, make_token])
    def test_marks_what_was_given_too(self, browser, ada, module, give):
        give(ada, module)

        assert "yours Drawing" in text_of(browser.get("/modules/"))

    def test_says_what_the_plan_opens_but_not_of_what_was_bought_as_well(self, browser, ada, module):
        make_module("singing")
        member = make_member(user=ada)
        follow_subscriptions_again([member.pk], source="test", at=NOON)
        make_buyer(ada, module)

        page = text_of(browser.get("/modules/"))

        assert "yours Drawing" in page
        assert "in your plan Singing" in page

    def test_marks_nothing_that_has_ended_or_is_somebody_elses(self, browser, ada, module):
        give_back(make_buyer(ada, module).order)
        make_grant(ada, module, expires_at=NOON + timedelta(seconds=1), at=NOON - timedelta(days=1))
        make_buyer(make_learner("eve@example.com"), module)
        browser.cookies.clear()

        assert "yours" not in text_of(browser.get("/modules/"))

    def test_says_what_to_do_when_nothing_is_on_sale(self, visitor):
        page = text_of(visitor.get("/modules/"))

        assert "No module is on sale at the moment." in page
        assert "See the plans" in page

    @pytest.mark.parametrize("page", ["x", "-1", "0", "99999999999999999999", ""])
    def test_has_pages_and_takes_any_number_for_one(self, visitor, page):
        Module.objects.bulk_create(
            Module(slug=f"m{number:03}", title=f"M{number:03}", price=0, url="https://m.example")
            for number in range(PER_PAGE + 1)
        )

        assert "M000" in text_of(visitor.get("/modules/"))
        last = text_of(visitor.get("/modules/", {"page": 2}))
        assert last.count("View module") == 1
        assert f"{PER_PAGE + 1}–{PER_PAGE + 1} of {PER_PAGE + 1} modules" in last
        assert visitor.get("/modules/", {"page": page}).status_code == 200

    def test_finds_by_words_and_what_is_free_and_keeps_both_on_the_next_page(self, visitor, module):
        make_module("singing", price=0, title="Singing in a choir")
        make_module("pottery", price=0, description="Clay and fire.")

        assert "1–1 of 1 module" in text_of(visitor.get("/modules/", {"q": "CLAY fire"}))
        free = visitor.get("/modules/", {"free": "1", "q": ""})
        assert "1–2 of 2 modules" in text_of(free)
        assert "noindex" in free.content.decode()
        assert "Nothing matches what you are looking for." in text_of(visitor.get("/modules/", {"q": "100%"}))

    def test_shows_of_ones_own_no_price_but_the_way_in(self, browser, ada, module):
        make_module("singing")
        row = make_buyer(ada, module)
        access = ModuleAccess.objects.get(order=row.order)

        page = browser.get("/modules/", {"owned": "1"})

        assert "1–1 of 1 module" in text_of(page)
        assert "Open – Drawing" in text_of(page)
        assert "€49.00" not in text_of(page)
        assert f'action="/encours/{access.pk}/open"' in page.content.decode()
        assert module.url.split("/")[2] in page["Content-Security-Policy"]

    def test_lets_who_is_not_signed_in_own_nothing(self, visitor, module):
        page = text_of(visitor.get("/modules/", {"owned": "1"}))

        assert "1–1 of 1 module" in page
        assert "Mine" not in page

    def test_asks_the_database_as_often_however_much_there_is(self, browser, ada, module, django_assert_num_queries):
        for number in range(5):
            make_buyer(ada, make_module(f"m{number}"))

        # session, user, count, modules, accesses
        with django_assert_num_queries(5):
            browser.get("/modules/")

    def test_is_linked_from_every_public_page(self, visitor):
        assert 'href="/modules/"' in visitor.get("/").content.decode()


PAGE, BUY = "/modules/drawing/", "/modules/drawing/buy"


class TestModulePage:
    def test_tells_all_that_one_needs_to_decide(self, browser, module):
        page = text_of(browser.get(PAGE))

        for words in (
            "Drawing Lines and light",
            "Price €49.00",
            "Lifetime access",
            "In ten lessons.",
            "Pay €49.00",
        ):
            assert words in page

    def test_calls_what_costs_nothing_free(self, browser):
        make_module(price=0, access_days=1)

        page = text_of(browser.get(PAGE))

        assert "Price Free How long Access for 1 day" in page
        assert "Get it free There is nothing to pay" in page

    def test_names_the_plans_on_sale_that_open_it(self, visitor, module):
        Plan.objects.all().delete()
        for slug in ("all", "some", "others", "gone"):
            make_plan(slug, name=slug.title(), price="", is_on_sale=slug != "gone")
        PlanOpening.objects.create(plan=Plan.objects.get(slug="some"), is_all=False).modules.set([module])
        PlanOpening.objects.create(plan=Plan.objects.get(slug="others"), is_all=False)

        page = text_of(visitor.get(PAGE))

        assert "All, €4.00 a month Some, €4.00 a month See the plans" in page
        assert "Others" not in page
        assert "Gone" not in page

    def test_asks_who_is_not_signed_in_to_do_so_and_leads_back(self, visitor, module):
        page = visitor.get(PAGE)

        assert 'href="/account/sign-in/?next=/modules/drawing/"' in page.content.decode()
        assert "Sign in and pay €49.00" in text_of(page)
        assert "<form" not in page.content.decode().split("<main")[1]

    def test_leads_to_the_own_modules_what_was_bought(self, browser, ada, module):
        make_buyer(ada, module)

        page = text_of(browser.get(PAGE))

        assert "This module is yours" in page
        assert "Pay" not in page

    def test_lets_who_has_it_by_a_plan_buy_it_all_the_same(self, browser, ada, module):
        follow_subscriptions_again([make_member(user=ada).pk], source="test", at=NOON)

        page = text_of(browser.get(PAGE))

        assert "This module is in your plan" in page
        assert "Pay €49.00" in page

    @pytest.mark.parametrize("has_it", [True, False])
    def test_offers_nothing_that_is_not_on_sale(self, browser, ada, module, has_it):
        Module.objects.update(is_on_sale=False)
        if has_it:
            make_grant(ada, module)

        page = browser.get(PAGE)

        assert ("This module is yours" if has_it else "This module is not on sale") in text_of(page)
        assert "Pay" not in text_of(page)
        assert "noindex" in page.content.decode()

    def test_tells_search_engines_and_those_with_whom_it_is_shared(self, visitor, module):
        Module.objects.update(summary="Lines </script> & light", picture=keep_picture(picture_file()))

        page = visitor.get(PAGE).content.decode()

        [told] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
        course = json.loads(told)
        assert (course["@type"], course["description"]) == ("Course", "Lines </script> & light")
        assert course["offers"]["price"] == "49.00"
        assert 'property="og:title" content="Drawing"' in page
        assert 'property="og:image"' in page
        assert "/modules/drawing/" in visitor.get("/sitemap.xml").content.decode()

    def test_knows_no_other(self, visitor):
        assert visitor.get(PAGE).status_code == 404


class TestBuyPage:
    def test_leads_to_the_payment(self, browser, module):
        response = browser.post(BUY)

        assert response.status_code == 303
        assert "/pay/cs_test_" in response["Location"]
        assert "no-store" in response["Cache-Control"]

    def test_makes_one_order_and_one_session_however_often_it_is_pressed(self, browser, module):
        first = browser.post(BUY)["Location"]

        assert browser.post(BUY)["Location"] == first
        assert Order.objects.count() == CheckoutAttempt.objects.count() == 1

    def test_gives_at_once_what_costs_nothing(self, browser, ada):
        make_module(price=0)

        response = browser.post(BUY)

        assert (response.status_code, response["Location"]) == (303, "/encours/?got=drawing")
        assert ModuleAccess.objects.get().user == ada
        assert "“Drawing” is yours" in text_of(browser.get(response["Location"]))

    @pytest.mark.parametrize("price", [4900, 0])
    def test_sells_nothing_twice(self, browser, ada, price):
        make_buyer(ada, make_module(price=price))

        response = browser.post(BUY, follow=True)

        assert response.redirect_chain == [("/encours/?already=drawing", 303)]
        assert "You have “Drawing” already. Nothing was charged." in text_of(response)
        assert Order.objects.count() == 1

    def test_sells_again_what_has_expired(self, browser, ada):
        make_buyer(ada, make_module(access_days=1), at=NOON - timedelta(days=2))

        assert "/pay/cs_test_" in browser.post(BUY)["Location"]

    def test_says_that_a_payment_is_under_way(self, browser, ada, module):
        browser.post(BUY)
        Order.objects.update(status=OrderStatus.PROCESSING)

        response = browser.post(BUY)

        assert response.status_code == 409
        assert "A payment of yours is under way" in text_of(response)

    def test_asks_for_no_second_payment_before_the_first_was_heard_of(self, browser, ada, module):
        pay(browser.post(BUY)["Location"])

        assert browser.post(BUY).status_code == 409
        heard()
        assert browser.post(BUY)["Location"] == "/encours/?already=drawing"
        assert Order.objects.count() == 1

    def test_says_so_when_stripe_does_not_answer(self, browser, module, monkeypatch):
        with unreachable(monkeypatch):
            response = browser.post(BUY)

        assert response.status_code == 503
        assert "Payment is not possible at the moment Nothing was charged." in text_of(response)

    def test_leads_to_the_page_that_says_that_it_is_not_on_sale(self, browser, module):
        Module.objects.update(is_on_sale=False)

        assert browser.post(BUY)["Location"] == PAGE
        assert not Purchase.objects.exists()

    def test_leads_to_the_sign_in_and_from_there_to_the_module(self, visitor, module):
        response = visitor.post(BUY)

        assert (response.status_code, response["Location"]) == (303, f"/account/sign-in/?next={PAGE}")
        assert not Order.objects.exists()

    def test_has_nothing_to_see_and_knows_no_other(self, browser, module):
        assert browser.get(BUY)["Location"] == PAGE
        assert browser.post("/modules/singing/buy").status_code == 404

    def test_counts_as_a_payment(self, browser, module, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        browser.post(BUY)

        assert browser.post(BUY).status_code == 429
