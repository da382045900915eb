from payments.orders.models import Order
from tests.browser.buyer import let_time_pass
from tests.browser.checkout_page import DEBIT_FAILS, DEBIT_WORKS


class TestDelayedMethod:
    def test_that_succeeds_confirms_the_place_when_the_money_comes(self, buyer, activity):
        buyer.goes_to_pay(activity).pays(DEBIT_WORKS)
        buyer.comes_back_to("Your payment is under way")
        buyer.examines()

        let_time_pass("2m")

        buyer.looks_until("Your place is confirmed")
        buyer.is_told("Your place is confirmed: %(title)s", activity)

    def test_that_fails_later_lets_one_pay_in_another_way(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.pays(DEBIT_FAILS)
        buyer.comes_back_to("Your payment is under way")

        let_time_pass("2m")

        [own_page] = buyer.is_told("Your payment did not go through: %(title)s", activity)
        buyer.open(own_page)
        buyer.sees("Your payment did not go through")
        buyer.examines()
        buyer.press("Try again: pay %(amount)s", amount=buyer.amount(4900))
        again = buyer.arrives_to_pay()
        again.pays()
        buyer.comes_back_confirmed()
        assert again.session != checkout.session
        assert Order.objects.get(pk=buyer.registration().order_id).amount_received == 4900
