"""What is said to who has just come back from the payment, as long as Stripe has not told us of it."""

import pytest

from payments.orders.models import Order
from payments.statuses import OrderStatus
from registrations.pages.checkout_return import MAX_REFRESHES, CheckoutReturn, ReturnState


class TestStateOf:
    @pytest.mark.parametrize(
        ("status", "at_first", "in_the_end"),
        [
            (OrderStatus.PENDING, ReturnState.CONFIRMING, ReturnState.UNHEARD),
            (OrderStatus.ACTION_REQUIRED, ReturnState.CONFIRMING, ReturnState.UNHEARD),
            (OrderStatus.EXPIRED, ReturnState.CONFIRMING, ReturnState.UNHEARD),
            (OrderStatus.CANCELED, ReturnState.CONFIRMING, ReturnState.UNHEARD),
            (OrderStatus.FAILED, ReturnState.CONFIRMING, None),
            (OrderStatus.PROCESSING, None, None),
            (OrderStatus.PAID, None, None),
            (OrderStatus.REFUNDED, None, None),
        ],
    )
    def test_waits_for_the_news_but_not_for_ever(self, status, at_first, in_the_end):
        order = Order(status=status)

        assert CheckoutReturn("cs_1").state_of(order) == at_first
        assert CheckoutReturn("cs_1", MAX_REFRESHES).state_of(order) == in_the_end
