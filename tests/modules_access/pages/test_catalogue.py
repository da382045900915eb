from datetime import timedelta

import pytest

from modules_access.models import Module
from modules_access.pages.catalogue import PER_PAGE
from payments.apply.apply import follow_subscriptions_again
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token
from tests.support.pages import text_of


class TestCatalogue:
    def test_shows_what_is_on_sale_with_its_price_and_how_long_it_lasts(self, visitor, module):
        make_module("singing", price=0, access_days=30)
        make_module("hidden", is_on_sale=False)

        page = text_of(visitor.get("/modules/"))

        assert "Drawing Lines and light Access without end 49.00 EUR Look at it – Drawing" in page
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
        assert text_of(visitor.get("/modules/", {"page": 2})).count("Look at it") == 1
        assert visitor.get("/modules/", {"page": page}).status_code == 200

    def test_asks_the_database_as_often_however_much_there_is(self, browser, ada, module, django_assert_num_queries):
        for number in range(5):
            make_buyer(ada, make_module(f"m{number}"))

        # session, user, count, modules, accesses
        with django_assert_num_queries(5):
            browser.get("/modules/")

    def test_is_linked_from_every_public_page(self, visitor):
        assert 'href="/modules/"' in visitor.get("/").content.decode()
