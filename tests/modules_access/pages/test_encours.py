from datetime import timedelta
from uuid import uuid4

import pytest

from config.middleware import CONTENT_SECURITY_POLICY
from modules_access.models import Module, ModuleAccess, PlanOpening, Purchase
from modules_access.pages import encours
from modules_access.pages.encours import REFRESH_DELAYS
from modules_access.services.grants import revoke_access
from modules_access.services.my_modules import my_modules_of
from modules_access.services.tokens import revoke_token
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Subscription
from payments.facts import ObjectRefs, PaymentFact
from payments.orders.models import CheckoutAttempt, Order
from payments.resync import on_return
from payments.statuses import OrderStatus
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import (
    give_back,
    make_buyer,
    make_grant,
    make_learner,
    make_module,
    make_purchase,
    make_token,
    payment_of,
    tell,
)
from tests.support.modules import pay as bring_money
from tests.support.pages import text_of
from tests.support.resync import heard
from tests.support.subscriber import pay, unreachable

DAY = timedelta(days=1)


def read(browser, **query) -> str:
    return text_of(browser.get("/encours/", query))


def follow(member) -> None:
    follow_subscriptions_again([member.pk], source="test", at=NOON)


class TestActive:
    def test_shows_what_was_bought_with_order_and_receipt(self, browser, ada, module):
        purchase = make_buyer(ada, module)

        response = browser.get("/encours/")

        assert "Open Drawing Bought Lifetime access" in text_of(response)
        assert f"Order {purchase.order.number} · Receipt for your payment" in text_of(response)
        assert f'href="/encours/{purchase.order.public_id}/receipt/"' in response.content.decode()
        assert f'action="/encours/{ModuleAccess.objects.get().pk}/open"' in response.content.decode()

    def test_says_until_when(self, browser, ada):
        make_buyer(ada, make_module(access_days=30))

        assert "Bought Until Wednesday, April 1, 2026 at 2 p.m." in read(browser)

    def test_has_no_receipt_for_what_cost_nothing(self, browser, ada):
        browser.post(f"/modules/{make_module(price=0).slug}/buy")

        page = read(browser)

        assert "Free of charge Lifetime access" in page
        assert "Receipt" not in page

    def test_names_the_plan_and_when_it_renews_without_our_days_of_grace(self, browser, ada, module):
        member = make_member(user=ada)
        follow(member)

        assert f"In your subscription “{member.plan.name}” Renews on April 2, 2026" in read(browser)

    @pytest.mark.parametrize("changes", [{"cancel_at": NOON + DAY}, {"status": "past_due"}])
    def test_names_the_last_day_of_a_subscription_that_ends_or_is_not_paid(self, browser, ada, module, changes):
        member = make_member(user=ada)
        Subscription.objects.update(**changes)
        follow(member)

        page = read(browser)

        assert "” Until " in page
        assert "Renews" not in page

    def test_counts_the_uses_of_a_token(self, browser, ada, module):
        token = make_token(ada, module, uses=100)
        token.used = 3
        token.save()

        assert "By a token Until Thursday, March 5, 2026 at 1 p.m. 97 uses left of 100" in read(browser)

    def test_is_one_line_with_the_longest_of_several_sources(self, browser, ada, module):
        make_token(ada, module)
        member = make_member(user=ada)
        follow(member)
        grant = make_grant(ada, module, expires_at=NOON + 100 * DAY)

        response = browser.get("/encours/")

        page = text_of(response)
        assert (
            f"Given to you; also in your subscription “{member.plan.name}”, by a token Until Wednesday, June 10" in page
        )
        assert page.count("Drawing") == 2  # the heading, and the button's
        assert response.content.decode().count("/open") == 1
        assert f"/encours/{grant.pk}/open" in response.content.decode()

    def test_keeps_the_orders_of_a_module_that_another_source_opens(self, browser, ada, module):
        order = give_back_of(make_buyer(ada, module))
        make_grant(ada, module)

        page = read(browser)

        assert "Given to you Lifetime access" in page
        assert f"Order {order.number} · Receipt" in page
        assert "Ended" not in page

    def test_stands_in_the_order_of_the_catalogue(self, browser, ada):
        for slug, position in (("later", 2), ("first", 1)):
            make_grant(ada, make_module(slug, position=position))

        page = read(browser)

        assert page.index("First") < page.index("Later")

    def test_shows_nothing_of_others(self, browser, module):
        eve = make_learner("eve@example.com")
        make_buyer(eve, module)
        make_purchase(eve, make_module("singing"))

        assert "You have no module yet." in read(browser)


class TestPending:
    @pytest.mark.parametrize(
        ("status", "words", "button"),
        [
            (OrderStatus.PENDING, "waiting for payment Nothing has been charged so far.", "Go on and pay €49.00"),
            (OrderStatus.ACTION_REQUIRED, "waiting for you Nothing is charged before you do.", "Go on and pay"),
            (OrderStatus.FAILED, "payment declined There is not enough money", "Try again: pay €49.00"),
            (OrderStatus.PROCESSING, "payment under way The bank needs a few working days", ""),
        ],
    )
    def test_says_where_it_stands_and_what_can_be_done(self, browser, ada, module, status, words, button):
        order = make_purchase(ada, module).order
        Order.objects.update(
            status=status, failure_code="insufficient_funds", failed_charge="ch_1", failed_attempt=order.attempt_number
        )

        page = read(browser)

        assert f"Waiting Drawing {words}" in page
        assert f"Order {order.number}" in page
        assert button in page
        assert ("pay €49.00" in page) == bool(button)

    def test_asks_nobody_to_pay_while_other_money_is_here(self, browser, ada, module):
        order = make_purchase(ada, module).order
        refs = ObjectRefs(order=str(order.public_id), payment_intent=payment_of(order))
        tell(order, [PaymentFact(refs, 3000, "eur", NOON)], at=NOON)

        page = read(browser)

        assert "We have received €30.00, and €49.00 was asked for." in page
        assert [words for words in ("Nothing has been charged", "Go on and pay") if words in page] == []

    @pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED])
    def test_leaves_out_what_ended_unpaid(self, browser, ada, module, status):
        make_purchase(ada, module)
        Order.objects.update(status=status)

        assert "You have no module yet." in read(browser)


class TestReturn:
    @pytest.fixture
    def unheard(self, browser, module) -> str:
        """The session that Ada has just gone through; nobody has told us."""
        pay(browser.post("/modules/drawing/buy")["Location"])
        return str(CheckoutAttempt.objects.get().session)

    @pytest.fixture
    def paid(self, unheard, monkeypatch) -> str:
        """The same, and Stripe is asked no more."""
        monkeypatch.setattr(on_return, "PATIENCE", ())
        return unheard

    def test_shows_the_module_at_once_where_only_stripe_knows(self, browser, unheard):
        response = browser.get("/encours/", {"session_id": unheard})

        assert "“Drawing” is yours Thank you: we have received your payment." in text_of(response)
        assert "Refresh" not in response

    def test_waits_for_the_news_and_looks_again_by_itself(self, browser, paid):
        response = browser.get("/encours/", {"session_id": paid})

        assert "Payment received, being confirmed" in text_of(response)
        assert "Waiting Drawing being confirmed" in text_of(response)
        assert response["Refresh"] == f"0; url=/encours/?session_id={paid}&looks=1"
        assert "Go on and pay" not in text_of(response)

    def test_looks_less_often_after_a_while(self, browser, paid):
        assert browser.get("/encours/", {"session_id": paid, "looks": 2})["Refresh"].startswith("1; ")
        assert browser.get("/encours/", {"session_id": paid, "looks": 7})["Refresh"].startswith("2; ")

    def test_gives_up_looking_but_not_the_order(self, browser, paid):
        response = browser.get("/encours/", {"session_id": paid, "looks": len(REFRESH_DELAYS)})

        assert "Refresh" not in response
        assert "Your payment is still being confirmed" in text_of(response)
        assert Order.objects.get().number in text_of(response)

    def test_shows_the_module_as_soon_as_it_is_known(self, browser, paid):
        heard()

        response = browser.get("/encours/", {"session_id": paid})

        assert "Refresh" not in response
        assert "“Drawing” is yours Thank you: we have received your payment." in text_of(response)
        assert "Open Drawing Bought" in text_of(response)

    def test_shows_the_module_once_when_the_money_comes_while_the_page_is_made(self, browser, paid, monkeypatch):
        def hear_and_look(user, *, at):
            heard()
            return my_modules_of(user, at=at)

        monkeypatch.setattr(encours, "my_modules_of", hear_and_look)

        response = browser.get("/encours/", {"session_id": paid})

        assert "“Drawing” is yours" in text_of(response)
        assert "Waiting" not in text_of(response)
        assert "Refresh" not in response

    def test_waits_though_the_order_was_closed(self, browser, paid):
        Order.objects.update(status=OrderStatus.EXPIRED)

        assert "Payment received, being confirmed" in read(browser, session_id=paid)

    def test_tells_of_a_delayed_payment_instead(self, browser, paid):
        Order.objects.update(status=OrderStatus.PROCESSING)

        response = browser.get("/encours/", {"session_id": paid})

        assert "payment under way" in text_of(response)
        assert "Refresh" not in response

    def test_tells_of_a_failure_when_nothing_else_comes(self, browser, paid):
        Order.objects.update(status=OrderStatus.FAILED)

        assert "payment declined" in read(browser, session_id=paid, looks=len(REFRESH_DELAYS))

    def test_does_not_call_that_yours_which_was_given_back(self, browser, paid):
        heard()
        Order.objects.update(status=OrderStatus.REFUNDED)

        assert "is yours" not in read(browser, session_id=paid)

    @pytest.mark.parametrize("session", ["cs_test_other", "", "x y", "é"])
    @pytest.mark.usefixtures("paid")
    def test_looks_at_nothing_else(self, browser, session):
        response = browser.get("/encours/", {"session_id": session, "looks": "-1"})

        assert "waiting for payment" in text_of(response)
        assert "Refresh" not in response

    @pytest.mark.parametrize("looks", ["x", "-1", "99999", "²"])
    def test_takes_anything_odd_for_the_first_look(self, browser, paid, looks):
        assert browser.get("/encours/", {"session_id": paid, "looks": looks})["Refresh"].endswith("looks=1")

    def test_belongs_to_who_has_paid(self, visitor, paid):
        visitor.force_login(make_learner("eve@example.com"))

        assert "Payment received" not in read(visitor, session_id=paid)


class TestEnded:
    def test_says_that_the_money_went_back_and_how_to_have_it_again(self, browser, ada, module):
        order = give_back_of(make_buyer(ada, module))

        response = browser.get("/encours/")

        assert "Ended Drawing Your payment was refunded. Bought. Ended: Monday, March 2, 2026 at 2 p.m." in text_of(
            response
        )
        assert f"Order {order.number} · Receipt" in text_of(response)
        assert "Get this module again" in text_of(response)
        assert "/open" not in response.content.decode()

    def test_offers_nothing_that_is_no_longer_sold(self, browser, ada, module):
        give_back(make_buyer(ada, module).order)
        Module.objects.update(is_on_sale=False)

        assert "Get this module again" not in read(browser)

    def test_says_that_time_has_run_out(self, browser, ada):
        make_buyer(ada, make_module(access_days=1), at=NOON - 3 * DAY)

        assert "The time for which you had access has run out. Bought. Ended: Saturday, Feb. 28, 2026" in read(browser)

    def test_says_that_a_token_is_used_up_or_revoked(self, browser, ada, module):
        token = make_token(ada, module, uses=1)
        token.used = 1
        token.save()
        assert "You have used it as often as you could. By a token." in read(browser)

        revoke_token(token=token, reason="lost", by="staff", at=NOON)
        assert "The token that gave you access was revoked." in read(browser)

    def test_says_that_the_subscription_or_the_plan_opens_it_no_more(self, browser, ada, module):
        member = make_member(user=ada)
        follow(member)
        opening = PlanOpening.objects.create(plan=member.plan, is_all=False)
        follow(member)
        assert "Your plan does not open this module any more." in read(browser)

        opening.delete()
        Subscription.objects.update(status="unpaid")
        follow(member)
        assert "Your subscription gives no access any more." in read(browser)

    def test_says_that_it_was_taken_back(self, browser, ada, module):
        revoke_access(access=make_grant(ada, module), reason="a mistake", by="staff", at=NOON)

        page = read(browser)

        assert "We have taken the access back." in page
        assert "a mistake" not in page

    def test_shows_what_ended_last_and_that_first(self, browser, ada, module):
        make_grant(ada, module, expires_at=NOON - 5 * DAY, at=NOON - 9 * DAY)
        make_grant(ada, module, expires_at=NOON - DAY, at=NOON - 9 * DAY)
        make_grant(ada, make_module("singing"), expires_at=NOON - 2 * DAY, at=NOON - 9 * DAY)

        page = read(browser)

        assert page.index("Drawing") < page.index("Singing")
        assert "Sunday, March 1, 2026" in page
        assert "Feb. 25" not in page


class TestNotice:
    @pytest.mark.parametrize("word", ["got", "already", "ended", "unreachable", "got_"])
    @pytest.mark.parametrize("slug", ["singing", "<b>", "\x00"])
    def test_says_nothing_that_is_not_so(self, browser, ada, module, word, slug):
        make_buyer(ada, module)

        assert "notice" not in browser.get("/encours/", {word: slug}).content.decode()

    def test_does_not_call_that_yours_which_has_ended(self, browser, ada, module):
        give_back(make_buyer(ada, module).order)

        assert "notice" not in browser.get("/encours/", {"got": "drawing"}).content.decode()


class TestPage:
    def test_lets_forms_lead_to_the_modules_on_it_and_to_no_other(self, browser, ada, module):
        make_module("singing")
        make_buyer(ada, module)
        make_grant(ada, make_module("bad", url="https://a;script-src *"))
        make_grant(ada, make_module("over"), expires_at=NOON - DAY, at=NOON - 2 * DAY)

        rules = dict(rule.split(" ", 1) for rule in browser.get("/encours/")[CONTENT_SECURITY_POLICY].split("; "))

        assert rules["form-action"].startswith("'self' ")
        assert [each for each in rules["form-action"].split() if each.endswith(".example")] == [
            "https://drawing.example"
        ]
        assert rules["script-src"] == "'self'"
        assert "drawing.example" not in browser.get("/plans/")[CONTENT_SECURITY_POLICY]

    def test_is_kept_by_nobody_and_shown_to_who_is_signed_in(self, browser):
        assert "no-store" in browser.get("/encours/")["Cache-Control"]
        browser.logout()
        assert browser.get("/encours/?session_id=cs_1")["Location"].startswith("/account/sign-in/?next=/encours/")

    def test_says_what_to_do_when_there_is_nothing(self, browser):
        assert "You have no module yet. See all modules See the plans" in read(browser)

    def test_asks_the_database_as_often_however_much_there_is(self, browser, ada, django_assert_num_queries):
        for number in range(4):
            module = make_module(f"m{number}", access_days=number or None)
            make_buyer(ada, module)
            give_back(make_buyer(ada, make_module(f"gone{number}")).order)
            make_grant(ada, module)
            make_token(ada, module)
            make_purchase(ada, make_module(f"waits{number}"))
        follow(make_member(user=ada))

        session = CheckoutAttempt.objects.exclude(session="").first().session
        # session, user, accesses, purchases
        with django_assert_num_queries(4):
            browser.get("/encours/")
        # and the order that one comes back from
        with django_assert_num_queries(5):
            browser.get("/encours/", {"session_id": session})


class TestPayPage:
    def test_leads_to_the_same_session_as_the_module_does(self, browser, module):
        url = browser.post("/modules/drawing/buy")["Location"]

        for _twice in range(2):
            response = browser.post(pay_address())
            assert (response.status_code, response["Location"]) == (303, url)
        assert CheckoutAttempt.objects.count() == 1

    def test_shows_the_module_where_it_has_just_been_paid(self, browser, module):
        pay(browser.post("/modules/drawing/buy")["Location"])

        response = browser.post(pay_address(), follow=True)

        assert "“Drawing” is yours" in text_of(response)

    def test_leads_back_where_there_is_nothing_to_pay(self, browser, ada, module):
        bring_money(make_purchase(ada, module).order)

        assert browser.post(pay_address())["Location"] == "/encours/"

    def test_gives_what_costs_nothing_and_was_left_halfway(self, browser, ada):
        make_purchase(ada, make_module(price=0))
        assert "Get it free – Drawing" in read(browser)

        page = text_of(browser.post(pay_address(), follow=True))

        assert "Open Drawing Free of charge" in page

    def test_says_so_when_stripe_does_not_answer(self, browser, ada, module, monkeypatch):
        make_purchase(ada, module)

        with unreachable(monkeypatch):
            response = browser.post(pay_address())

        assert response.status_code == 503
        assert "Nothing was charged." in text_of(response)

    def test_knows_nothing_of_other_people(self, browser, module):
        make_purchase(make_learner("eve@example.com"), module)

        assert browser.post(pay_address()).status_code == 404
        assert browser.post(f"/encours/{uuid4()}/pay").status_code == 404

    def test_is_a_post_of_who_is_signed_in_and_counts_as_a_payment(self, browser, ada, module, settings):
        make_purchase(ada, module)
        assert browser.get(pay_address())["Location"] == "/encours/"

        settings.STRIPE_RATE_LIMIT_MAX = 1
        browser.post(pay_address())
        assert browser.post(pay_address()).status_code == 429
        browser.logout()
        settings.STRIPE_RATE_LIMIT_MAX = 9
        assert browser.post(pay_address())["Location"].startswith("/account/sign-in/")


def give_back_of(purchase: Purchase) -> Order:
    give_back(purchase.order)
    return purchase.order


def pay_address() -> str:
    return f"/encours/{Order.objects.get().public_id}/pay"
