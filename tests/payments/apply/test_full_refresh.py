"""What a look at Stripe differs in, as the history keeps it."""

from payments.apply.full_refresh import describe
from payments.apply.locked_rows import OrderState
from payments.billing.models import Dispute, Payment, Refund
from payments.orders.models import Order


class TestDescribe:
    def test_says_the_currency_of_money_that_came_in_another_than_the_orders(self):
        money = {
            "pi_eur": Payment(key="pi_eur", currency="eur", received=4900, lost=900),
            "pi_usd": Payment(key="pi_usd", currency="usd", received=3000),
        }
        refund = Refund(stripe_id="re_1", payment="pi_usd", currency="usd", amount=100, status="succeeded")
        dispute = Dispute(stripe_id="du_1", payment="pi_eur", currency="eur", amount=900, status="lost", phase=1)
        state = OrderState(Order(currency="eur"), payments=money, refunds={"re_1": refund}, disputes={"du_1": dispute})

        told = describe(state)

        assert (told["paid pi_eur"], told["paid pi_usd"], told["lost pi_eur"]) == ("4900", "3000 usd", "900")
        assert (told["refund re_1"], told["dispute du_1"]) == ("succeeded 100 usd", "lost 900")
