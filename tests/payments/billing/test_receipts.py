import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from payments.billing.models import Payment, Receipt
from payments.billing.receipts import NothingPaid, find_receipt, receipt_for
from payments.orders.models import Order
from payments.statuses import OrderStatus
from tests.support.factories import NOON, OrderFactory


def order_with_money(*, status: str = OrderStatus.PAID, received: int = 4900) -> Order:
    order = OrderFactory.create(status=status)
    Payment.objects.create(key=f"pi_{order.pk}", order=order, currency="eur", received=received, paid_at=NOON)
    return order


@pytest.mark.django_db
class TestReceiptFor:
    def test_counts_without_a_gap(self):
        numbers = [receipt_for(order_with_money().pk, NOON).number for _ in range(3)]

        assert numbers == [1, 2, 3]

    def test_gives_an_order_one_number_for_ever(self):
        order = order_with_money()
        first = receipt_for(order.pk, NOON)
        receipt_for(order_with_money().pk, NOON)

        assert receipt_for(order.pk, NOON) == first
        assert Receipt.objects.count() == 2

    def test_takes_again_the_number_of_a_transaction_that_failed(self):
        with transaction.atomic():
            receipt_for(order_with_money().pk, NOON)
            transaction.set_rollback(True)

        assert receipt_for(order_with_money().pk, NOON).number == 1

    def test_stays_when_the_money_goes_back(self):
        order = order_with_money(status=OrderStatus.REFUNDED)

        assert find_receipt(order.pk) is None
        assert str(receipt_for(order.pk, NOON)) == "R-000001"

    @pytest.mark.parametrize("status", [status for status in OrderStatus if status not in ("PAID", "REFUNDED")])
    def test_is_refused_for_what_is_not_paid(self, status):
        order = order_with_money(status=status)

        with pytest.raises(NothingPaid):
            receipt_for(order.pk, NOON)

        assert not Receipt.objects.exists()

    def test_is_refused_for_what_was_free(self):
        with pytest.raises(NothingPaid):
            receipt_for(OrderFactory.create(amount=0, status=OrderStatus.PAID).pk, NOON)

    def test_is_refused_for_an_order_that_does_not_exist(self):
        with pytest.raises(NothingPaid):
            receipt_for(987654321, NOON)


@pytest.mark.django_db(transaction=True)
class TestReceiptsAtOnce:
    def test_get_the_next_numbers_each_once(self):
        orders = [order_with_money().pk for _ in range(4)] * 2
        together = threading.Barrier(len(orders))

        def issue(order_id: int) -> int:
            try:
                together.wait(timeout=10)
                return receipt_for(order_id, NOON).number
            finally:
                connection.close()

        with ThreadPoolExecutor(len(orders)) as pool:
            numbers = list(pool.map(issue, orders))

        assert numbers[:4] == numbers[4:]
        assert sorted(numbers[:4]) == [1, 2, 3, 4]
