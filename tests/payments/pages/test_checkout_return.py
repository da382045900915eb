"""What is said to who has just come back from the payment, as long as Stripe has not told us of it."""

import pytest
from django.http import HttpResponse

from payments.orders.models import Order
from payments.pages.checkout_return import REFRESH_DELAYS, CheckoutReturn, UnpaidState
from payments.statuses import OrderStatus


class TestStateOf:
    @pytest.mark.parametrize(
        ("status", "at_first", "in_the_end"),
        [
            (OrderStatus.PENDING, UnpaidState.CONFIRMING, UnpaidState.UNCONFIRMED),
            (OrderStatus.ACTION_REQUIRED, UnpaidState.CONFIRMING, UnpaidState.UNCONFIRMED),
            (OrderStatus.EXPIRED, UnpaidState.CONFIRMING, UnpaidState.UNCONFIRMED),
            (OrderStatus.CANCELED, UnpaidState.CONFIRMING, UnpaidState.UNCONFIRMED),
            (OrderStatus.FAILED, UnpaidState.CONFIRMING, None),
            (OrderStatus.PROCESSING, None, None),
            (OrderStatus.PAID, None, None),
            (OrderStatus.REFUNDED, None, None),
        ],
    )
    def test_waits_for_the_news_but_not_for_ever(self, status, at_first, in_the_end):
        order = Order(status=status)

        assert CheckoutReturn(order, "cs_1").state_of(order) == at_first
        assert CheckoutReturn(order, "cs_1", len(REFRESH_DELAYS)).state_of(order) == in_the_end

    def test_says_nothing_of_another_order(self):
        assert CheckoutReturn(Order(pk=1), "cs_1").state_of(Order(pk=2)) is None


class TestRefresh:
    @pytest.mark.parametrize(("refreshes", "header"), [(0, "0; url=/mine/?session_id=cs_1&looks=1"), (1, "5; ")])
    def test_takes_its_time_as_the_page_wants_it(self, rf, refreshes, header):
        response = HttpResponse()

        CheckoutReturn(Order(), "cs_1", refreshes, delays=(0, 5)).refresh(rf.get("/mine/"), response)

        assert response["Refresh"].startswith(header)
