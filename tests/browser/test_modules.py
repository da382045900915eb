import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from modules_access.models import Module, ModuleAccess
from modules_access.services.verify import verify
from payments.orders.models import Order
from payments.statuses import OrderStatus
from tests.browser.checkout_page import CheckoutPage
from tests.browser.keyboard import Keyboard
from tests.browser.learner import ENCOURS, Learner
from tests.browser.staff import Staff
from tests.browser.test_standing import without_refresh
from tests.support.foreign_site import running_foreign_site
from tests.support.modules import make_grant, make_module, make_purchase, make_token
from tests.support.subscriptions import make_plan

UNDER_WAY = (
    "The bank needs a few working days for it. We'll write to you as soon as the payment has arrived; "
    "there is nothing you need to do."
)
_numbers = count(1)


@pytest.fixture
def new_module(db, site) -> Iterator[Callable[..., Module]]:
    """Modules that only this test has; behind them is the demo room."""
    made = []

    def make(**fields: object) -> Module:
        slug = f"raku-{next(_numbers)}"
        room = f"{site.url}/demo/module/{slug}/"
        made.append(make_module(slug, **{"title": slug.upper(), "summary": "Feu", "url": room, **fields}))
        return made[-1]

    yield make
    Module.objects.filter(pk__in=[module.pk for module in made]).update(is_on_sale=False)


@pytest.fixture
def module(new_module) -> Module:
    return new_module()


@pytest.fixture
def learner(enter) -> Learner:
    """Signed in."""
    learner = enter(Learner)
    learner.signs_in()
    return learner


class TestBuying:
    def test_leads_from_the_catalogue_by_the_sign_in_into_the_module(self, enter, module):
        learner = enter(Learner)
        learner.open("/modules/")
        learner.examines()
        learner.page.get_by_role("link", name=module.title, exact=True).click()
        learner.sees(module.title)
        learner.examines()
        learner.follow("Sign in and pay %(amount)s", amount=learner.amount(module.price))
        learner.signs_in_here()
        learner.sees("Buy this module")
        learner.examines()

        learner.buys_module(module)

        learner.sees("“%(title)s” is yours", title=module.title)
        learner.examines()
        learner.comes_in(module)
        learner.examines()
        page, receipt = learner.is_told_of("Your module is open: %(title)s", module)
        learner.open(receipt)
        learner.reads("Total paid")
        learner.examines()
        learner.open(page)
        learner.sees("Your modules")

    def test_costs_nothing_where_the_module_is_free(self, learner, new_module):
        module = new_module(price=0, access_days=30)
        learner.open(f"/modules/{module.slug}/")
        learner.examines()

        learner.press("Get it free")

        learner.sees("“%(title)s” is yours", title=module.title)
        learner.examines()
        learner.comes_in(module)

    def test_can_be_declined_and_done_later(self, learner, module):
        learner.goes_to_buy(module)
        checkout = learner.arrives_to_pay()
        checkout.is_declined()
        learner.is_told_of("Your payment did not go through: %(title)s", module)

        checkout.goes_back()
        learner.looks_until_it_reads("You can try again, with another card for example.")
        learner.examines()
        learner.pay_button("Try again: pay %(amount)s", module).click()
        CheckoutPage(learner).pays()

        learner.open_button(module).wait_for()
        assert Order.objects.get(email=learner.email).amount_received == 4900

    @pytest.mark.parametrize("language", ["en"])
    def test_twice_at_once_begins_one_order(self, learner, module):
        learner.open(f"/modules/{module.slug}/")

        learner.button("Pay %(amount)s", amount=learner.amount(module.price)).dblclick()

        session = learner.arrives_to_pay().session
        [order] = Order.objects.filter(email=learner.email)
        assert list(order.checkouts.values_list("session", flat=True)) == [session]

    def test_shows_its_state_while_it_is_under_way(self, learner, module):
        order = make_purchase(learner.user, module, at=timezone.now()).order
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.PROCESSING)
        learner.open("/encours/")
        learner.reads(UNDER_WAY)
        learner.examines()

        learner.open(f"/modules/{module.slug}/")
        with learner.being_refused(409):
            learner.press("Pay %(amount)s", amount=learner.amount(module.price))
            learner.sees("A payment of yours is under way")
        learner.examines()

    def test_waits_for_the_news_by_itself(self, learner, module):
        learner.goes_to_buy(module)
        session = learner.arrives_to_pay().session
        learner.open(f"/encours/?session_id={session}")
        learner.sees("Payment received, being confirmed")
        learner.page.wait_for_url(re.compile(r"looks=[1-9]"))
        learner.page.route("**session_id=*", without_refresh)

        for looks, heading in (1, "Payment received, being confirmed"), (99, "Your payment is still being confirmed"):
            learner.open(f"/encours/?session_id={session}&looks={looks}")
            learner.sees(heading)
            learner.examines()


class TestOpening:
    def test_leads_to_another_site_with_a_token_that_verifies_and_says_not_from_where(self, learner, new_module):
        with running_foreign_site() as elsewhere:
            module = new_module(url=f"{elsewhere.url}/enter?lesson=1")
            make_grant(learner.user, module, at=timezone.now())
            learner.open("/encours/")

            learner.open_button(module).click()

            learner.page.get_by_role("heading", name="Elsewhere").wait_for()
            [(path, query, headers)] = elsewhere.visits
        assert (path, query["lesson"]) == ("/enter", ["1"])
        assert "Referer" not in headers
        assert verify(query["token"][0], module=module, at=timezone.now()).user == learner.user

    def test_counts_the_uses_of_a_token(self, learner, module):
        make_token(learner.user, module, uses=10, at=timezone.now())
        learner.open("/encours/")
        learner.examines()

        learner.comes_in(module)

        learner.open("/encours/")
        learner.reads(
            learner.plural("%(left)s use left of %(most)s", "%(left)s uses left of %(most)s", left=9, most=10)
        )

    def test_that_has_ended_meanwhile_says_so(self, learner, module):
        access = make_grant(learner.user, module, expires_at=timezone.now() + timedelta(hours=1), at=timezone.now())
        learner.open("/encours/")
        ModuleAccess.objects.filter(pk=access.pk).update(expires_at=timezone.now())

        learner.open_button(module).click()

        learner.reads(
            "This access to “%(title)s” is no longer open. What you have now stands below.", title=module.title
        )
        learner.examines()

    def test_needs_no_mouse(self, learner, module):
        make_grant(learner.user, module, at=timezone.now())
        learner.open("/encours/")

        Keyboard(learner.page).presses(learner.open_button(module))

        learner.sees("Come in, %(name)s", name=learner.email)

    def test_without_a_token_says_why_nobody_comes_in(self, learner, module):
        with learner.being_refused(403):
            learner.open(module.url)
        learner.sees("Nobody comes in")
        learner.examines()


class TestEnd:
    def test_comes_with_the_refund(self, learner, enter, module):
        learner.buys_module(module)
        staff = enter(Staff, language="en")
        staff.signs_in()

        staff.refunds(Order.objects.get(email=learner.email))

        learner.looks_until_it_reads("Your payment was refunded.")
        learner.examines()
        learner.is_told_of("Your refund: %(title)s", module)


class TestSubscriber:
    def test_finds_the_modules_of_the_plan(self, learner, module):
        make_plan(name="Premium", price="", position=0)
        learner.open("/encours/")
        learner.sees("Your modules")
        learner.examines()
        learner.subscribes()
        learner.sees("Your modules")

        learner.open("/encours/")

        learner.page.wait_for_url(ENCOURS)
        learner.comes_in(module)
        for page in ("/encours/", "/modules/", f"/modules/{module.slug}/"):
            learner.open(page)
            learner.examines()
        learner.sees("This module is in your plan")
