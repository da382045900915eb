from datetime import UTC, datetime

import pytest

from payments.orders.models import Order
from payments.sql import StaleRows, to_json, update_rows

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def orders():
    return Order.objects.bulk_create(Order(kind="test", amount=n, currency="eur", created_at=MOMENT) for n in range(3))


class TestUpdateRows:
    def test_writes_each_row_its_own_values_in_one_statement(self, orders, django_assert_num_queries):
        rows = [{"id": order.pk, "label": f"n° {order.amount} «é»", "paid_at": MOMENT} for order in orders]

        with django_assert_num_queries(1):
            update_rows(Order, rows)

        written = Order.objects.order_by("amount").values_list("label", "paid_at")
        assert list(written) == [(f"n° {n} «é»", MOMENT) for n in range(3)]

    def test_writes_null_and_false(self, orders):
        update_rows(Order, [{"id": orders[0].pk, "paid_at": None, "livemode": False}])

        assert Order.objects.get(pk=orders[0].pk).paid_at is None

    def test_refuses_all_when_one_row_is_no_longer_as_it_was(self, orders):
        rows = [{"id": order.pk, "status": "FAILED", "was_status": "PENDING"} for order in orders]
        Order.objects.filter(pk=orders[1].pk).update(status="EXPIRED")

        with pytest.raises(StaleRows, match="2 of 3"):
            update_rows(Order, rows, guards=("status",))

    def test_compares_with_null_as_with_any_value(self, orders):
        update_rows(Order, [{"id": orders[0].pk, "attempt_at": MOMENT, "was_attempt_at": None}], guards=("attempt_at",))

        assert Order.objects.get(pk=orders[0].pk).attempt_at == MOMENT

    def test_does_nothing_for_no_rows(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            update_rows(Order, [])


class TestToJson:
    def test_refuses_what_has_no_place_in_a_row(self):
        with pytest.raises(TypeError, match="object"):
            to_json([{"x": object()}])
