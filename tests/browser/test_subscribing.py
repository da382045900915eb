import re

import pytest
from playwright.sync_api import expect

from payments.billing.models import Payment
from tests.browser.member import Member
from tests.support.processes import wait_until
from tests.support.subscriptions import make_plan


def paid_by(member: Member) -> list[int]:
    """What Stripe has told us that it has charged, in minor units."""
    payments = Payment.objects.filter(subscription__customer__user__email=member.email)
    return list(payments.values_list("received", flat=True))


@pytest.fixture
def member(enter, db) -> Member:
    """Somebody new, and two plans to choose from."""
    make_plan(name="Premium", price="", position=0)
    make_plan("yearly", name="Premium", amount=3000, interval="year", price="", position=1)
    return enter(Member)


class TestAccount:
    def test_begins_with_an_address_that_is_confirmed_and_opens_with_the_password(self, member, activity):
        member.buys(activity)
        member.asks_for_an_account()

        member.chooses_a_password()

        member.reads(activity.title)
        member.examines()
        member.press("Sign out")
        member.signs_in()
        member.reads(activity.title)


class TestSubscription:
    def test_begins_without_an_account_and_can_be_changed_ended_and_resumed(self, member):
        member.open("/plans/")
        member.examines()
        member.page.locator('main a.button[href="/plans/monthly/"]').click()
        member.examines()
        member.follow("Create an account and subscribe")
        member.signs_up()

        member.confirms()
        expect(member.page).to_have_url(re.compile("/plans/monthly/$"))
        member.examines()
        member.page.locator("main form button").click()
        member.pays_for_the_plan()
        member.examines()

        member.follow("Change the plan")
        member.sees("Change the plan")
        member.examines()
        member.page.locator("main a.button").first.click()
        member.sees("Change to this plan?")
        member.examines()
        shown = member.agrees_to_the_sum()
        member.arrives_at_account("Your plan is changed.")
        assert shown == 2600
        wait_until(lambda: shown in paid_by(member), seconds=60, or_show=lambda: paid_by(member))

        member.follow("Cancel the subscription")
        member.sees("Cancel your subscription?")
        member.examines()
        member.press("Cancel the subscription")
        member.arrives_at_account("Your subscription is canceled. Nothing more is charged.")
        member.examines()
        member.press("Keep my subscription")
        member.arrives_at_account("Your subscription goes on.")

    def test_leads_to_card_and_invoices_at_stripe_and_back(self, member):
        member.asks_for_an_account()
        member.chooses_a_password()
        member.subscribes()

        member.press("Card and invoices")

        member.sees("Card, subscription and invoices")
        member.examines()
        member.page.locator("a", has_text=member.words("Back to the seller")).click()
        member.sees("Your account")
