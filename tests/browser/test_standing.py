from datetime import timedelta

import pytest
from django.utils import timezone

from registrations.links import page_url
from registrations.models import Activity
from registrations.services.call_off import call_off
from tests.browser.buyer import OWN_PAGE


class TestClosedActivity:
    @pytest.mark.parametrize(
        ("closed", "heading"),
        [
            ({"is_on_sale": False}, "Sales are paused"),
            ({"starts_at": timezone.now() - timedelta(hours=1)}, "This activity is over"),
            ({"called_off_at": timezone.now(), "called_off_reason": "Four"}, "This activity has been called off"),
        ],
        ids=["paused", "ended", "called off"],
    )
    def test_says_why_one_cannot_register(self, buyer, make_activity, closed, heading):
        activity = make_activity(**closed)

        buyer.open(f"/activities/{activity.slug}/")

        buyer.sees(heading)
        buyer.examines()

    def test_that_closes_while_one_fills_in_the_form_says_so(self, buyer, activity):
        buyer.fills_in(activity)
        Activity.objects.filter(pk=activity.pk).update(is_on_sale=False)

        buyer.press("Pay %(amount)s", amount=buyer.amount(4900))

        buyer.sees("Sales are paused")

    @pytest.mark.parametrize("is_paid", [True, False], ids=["paid", "unpaid"])
    def test_that_is_called_off_tells_who_had_registered(self, buyer, activity, is_paid):
        if is_paid:
            buyer.buys(activity)
        else:
            buyer.goes_to_pay(activity).goes_back()
            buyer.page.wait_for_url(OWN_PAGE)

        call_off(activity=activity, reason="Four", by="staff", at=timezone.now())

        buyer.is_told("Called off: %(title)s", activity)
        buyer.looks_until("Your payment was refunded" if is_paid else "This activity has been called off")
        buyer.examines()


class TestOwnPage:
    def test_says_while_stripe_has_not_told_yet_that_the_payment_is_being_confirmed(self, buyer, activity):
        session = buyer.goes_to_pay(activity).session
        own_page = self.own_page_of(buyer)

        buyer.open(f"{own_page}?session_id={session}")

        buyer.sees("Payment received, being confirmed")
        buyer.page.wait_for_url("**looks=1")
        buyer.open(f"{own_page}?session_id={session}&looks=99")
        buyer.sees("Your payment is still being confirmed")
        buyer.examines()

    def test_can_be_judged_before_it_looks_again(self, buyer, activity):
        session = buyer.goes_to_pay(activity).session
        own_page = self.own_page_of(buyer)
        buyer.page.route("**session_id=*", without_refresh)

        buyer.open(f"{own_page}?session_id={session}")

        buyer.sees("Payment received, being confirmed")
        buyer.examines()

    def test_says_when_it_is_too_late_to_pay(self, buyer, activity):
        buyer.goes_to_pay(activity)
        Activity.objects.filter(pk=activity.pk).update(starts_at=timezone.now())

        buyer.open(self.own_page_of(buyer))

        buyer.sees("It is too late to pay")
        buyer.examines()

    def own_page_of(self, buyer) -> str:
        return page_url(buyer.registration())


def without_refresh(route) -> None:
    """The page as it comes, but it stays until it has been judged."""
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
    route.fulfill(response=answer, headers=headers)
