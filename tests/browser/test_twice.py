"""What impatient people do: each order has one session in which it can be paid, and is paid once."""

import pytest

from payments.orders.models import CheckoutAttempt, Order
from tests.browser.checkout_page import WORKS, CheckoutPage

pytestmark = pytest.mark.parametrize("language", ["en"])


def sessions_of(buyer) -> list[str]:
    """All that were ever made for the one registration of this buyer."""
    [order] = Order.objects.filter(email=buyer.email)
    return list(CheckoutAttempt.objects.filter(order=order).values_list("session", flat=True))


class TestTwice:
    def test_a_double_click_registers_once(self, buyer, activity):
        buyer.fills_in(activity)

        buyer.button("Pay %(amount)s", amount=buyer.amount(4900)).dblclick()

        checkout = buyer.arrives_to_pay()
        assert sessions_of(buyer) == [checkout.session]

    def test_a_double_click_at_stripe_pays_once(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.fills_in(WORKS)

        checkout.button().dblclick()

        buyer.comes_back_confirmed()
        assert buyer.registration().order.amount_received == 4900
        assert buyer.registration().order.payments.count() == 1

    def test_going_back_and_registering_again_leads_to_the_same_session(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)

        buyer.page.go_back()
        buyer.press("Pay %(amount)s", amount=buyer.amount(4900))

        assert buyer.arrives_to_pay().session == checkout.session
        assert sessions_of(buyer) == [checkout.session]

    def test_going_back_after_paying_says_that_it_is_paid(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.pays()
        buyer.comes_back_confirmed()

        buyer.open(checkout.url)
        buyer.sees("All done")
        buyer.examines()
        buyer.follow("Go on")

        buyer.sees("Your place is confirmed")

    def test_two_windows_lead_to_one_session_that_is_paid_once(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        first = buyer.page
        checkout.goes_back()
        own_page = first.url
        buyer.page = buyer.context.new_page()
        buyer.open(own_page)
        assert buyer.goes_on_to_pay(activity).session == checkout.session
        second, buyer.page = buyer.page, first
        buyer.goes_on_to_pay(activity).pays()
        buyer.comes_back_confirmed()

        buyer.page = second
        CheckoutPage(buyer).pays()

        buyer.comes_back_confirmed()
        assert sessions_of(buyer) == [checkout.session]
        assert buyer.registration().order.payments.count() == 1
