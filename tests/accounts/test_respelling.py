import pytest
from django.db import connection
from structlog.testing import capture_logs

from accounts.models import User
from accounts.respelling import respell
from payments.orders.models import Order
from tests.support.factories import OrderFactory

pytestmark = pytest.mark.django_db


def keep_as_typed(row, email):
    """As it was written before addresses had one spelling."""
    table = type(row)._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET email = %s WHERE id = %s", [email, row.pk])


def addresses(model):
    return list(model.objects.order_by("pk").values_list("email", flat=True))


class TestRespell:
    def test_writes_what_was_kept_otherwise_and_nothing_else(self):
        typed = ["zoé@exämple.com", "ada@example.com.", "zoé@example.com", "", "x@ü..com"]
        for email in typed:
            keep_as_typed(OrderFactory(), email)

        assert respell(Order) == 2
        assert addresses(Order) == [
            "zoé@xn--exmple-cua.com", "ada@example.com", "zoé@example.com", "", "x@ü..com",
        ]  # fmt: skip
        assert respell(Order) == 0

    def test_leaves_whom_it_would_make_one_of_two_and_names_them(self):
        for number in range(2):
            User.objects.create_user(f"ada{number}@example.com")
        first, second = User.objects.order_by("pk")
        keep_as_typed(first, "zoe@exämple.com")
        keep_as_typed(second, "zoe@xn--exmple-cua.com")

        with capture_logs() as lines:
            assert respell(User) == 0

        assert addresses(User) == ["zoe@exämple.com", "zoe@xn--exmple-cua.com"]
        assert [(line["event"], line["row"]) for line in lines] == [("addresses.collision", first.pk)]
