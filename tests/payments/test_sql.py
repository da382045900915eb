from datetime import UTC, datetime

import psycopg
import pytest
import structlog
from django.db import DataError, IntegrityError, connection, transaction
from structlog.testing import capture_logs

from payments.ledger.models import PaymentEvent
from payments.locks import advisory_lock, wait_for_advisory_lock
from payments.orders.models import Order, OrderChange, Reference, order_number
from payments.sql import (
    StaleRows,
    insert_rows,
    kept_or_untold,
    prepared,
    select_rows,
    tell_about,
    to_json,
    update_rows,
)
from tests.support.ledger_rows import waiting_events

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


class TestInsertRows:
    def test_writes_all_in_one_statement_and_gives_each_its_id(self, orders, django_assert_num_queries):
        rows = [OrderChange(order=order, field="label", after=f"n° {order.amount} «é»") for order in orders]
        for row in rows:
            row.occurred_at = row.learned_at = MOMENT

        with django_assert_num_queries(1):
            insert_rows(rows)

        written = OrderChange.objects.in_bulk([row.pk for row in rows])
        assert [(written[row.pk].order_id, written[row.pk].after) for row in rows] == [
            (order.pk, f"n° {order.amount} «é»") for order in orders
        ]
        assert written[rows[0].pk].learned_at == MOMENT

    def test_leaves_alone_what_is_there_already_if_it_is_told_so(self, orders):
        insert_rows([Reference(name="cs_1", order=orders[0])])

        insert_rows([Reference(name=name, order=orders[1]) for name in ("cs_1", "cs_2")], ignore_conflicts=True)

        known = Reference.objects.order_by("name").values_list("name", "order_id")
        assert list(known) == [("cs_1", orders[0].pk), ("cs_2", orders[1].pk)]

    def test_refuses_all_where_one_is_there_already(self, orders):
        insert_rows([Reference(name="cs_1", order=orders[0])])

        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows([Reference(name=name, order=orders[1]) for name in ("cs_2", "cs_1")])

        assert Reference.objects.count() == 1


class TestSelectRows:
    def test_reads_what_the_orm_would_read(self, orders):
        (event,) = waiting_events()

        (row,) = select_rows(PaymentEvent, "WHERE id = %s", [event.pk])

        columns = [field.attname for field in PaymentEvent._meta.concrete_fields]
        read = PaymentEvent.objects.get(pk=event.pk)
        assert [getattr(row, name) for name in columns] == [getattr(read, name) for name in columns]
        assert (row._state.adding, row.payload["data"]["object"]["id"]) == (False, "prod_1")


class TestPrepared:
    def test_is_parsed_and_planned_by_postgresql_once(self):
        for number in range(5):
            assert prepared("SELECT %s::int + 1", [number]) == [(number + 1,)]

        statements = [sql for (sql,) in prepared("SELECT statement FROM pg_prepared_statements")]
        assert [sql for sql in statements if "::int + 1" in sql] == ["SELECT $1::int + 1"]

    def test_is_an_error_of_django_where_it_fails(self):
        with pytest.raises(DataError), transaction.atomic():
            prepared("SELECT %s::int", ["no number"])


class TestToJson:
    def test_refuses_what_has_no_place_in_a_row(self):
        with pytest.raises(TypeError, match="object"):
            to_json([{"x": object()}])


class Taken(Exception):
    """What the caller of a lock wants to hear."""


@pytest.fixture
def somebody_else():
    """Another connection to the same database: locks of one and the same do not stand in each other's way."""
    parameters = connection.get_connection_params()
    names = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters}
    with psycopg.connect(**names, autocommit=True) as other:
        yield other
        other.execute(
            "SELECT pg_advisory_unlock_all()"
        )  # else they go a moment after the connection, which is too late


def can_lock(somebody, name):
    (is_free,) = somebody.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
    if is_free:
        somebody.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
    return is_free


class TestAdvisoryLock:
    def test_is_held_inside_the_block_and_no_longer(self, somebody_else):
        with advisory_lock("nightly", or_raise=Taken()):
            inside = can_lock(somebody_else, "nightly")

        assert (inside, can_lock(somebody_else, "nightly")) == (False, True)

    def test_refuses_at_once_while_somebody_else_holds_it(self, somebody_else):
        somebody_else.execute("SELECT pg_advisory_lock(hashtextextended('nightly', 0))")

        with pytest.raises(Taken), advisory_lock("nightly", or_raise=Taken()):
            pytest.fail("somebody else holds it")

    def test_keeps_nobody_from_another_name(self, somebody_else):
        with advisory_lock("nightly", or_raise=Taken()):
            assert can_lock(somebody_else, "daily")


class TestWaitForAdvisoryLock:
    @pytest.mark.django_db(transaction=True)
    def test_is_held_until_the_transaction_ends(self, somebody_else):
        with transaction.atomic():
            wait_for_advisory_lock("numbers")
            inside = can_lock(somebody_else, "numbers")

        assert (inside, can_lock(somebody_else, "numbers")) == (False, True)


def shout(event, **fields):
    structlog.get_logger("a test").info(event, **fields)


class TestKeptOrUntold:
    def test_tells_what_was_kept_when_it_is_kept(self):
        with capture_logs() as lines, kept_or_untold():
            shout("order.changed")
            told_inside = list(lines)

        assert (told_inside, [line["event"] for line in lines]) == ([], ["order.changed"])

    def test_tells_nothing_of_a_preview(self):
        with capture_logs() as lines, kept_or_untold():
            shout("order.changed")
            transaction.set_rollback(True)

        assert lines == []

    def test_tells_nothing_of_what_failed_but_the_failure(self):
        @kept_or_untold()
        def fail():
            shout("order.changed")
            structlog.get_logger("a test").error("order.broken")
            raise KeyError

        with capture_logs() as lines, pytest.raises(KeyError):
            fail()

        assert [line["event"] for line in lines] == ["order.broken"]

    def test_leaves_it_to_the_transaction_around_it(self):
        with capture_logs() as lines, kept_or_untold():
            with kept_or_untold():
                shout("order.changed")
            transaction.set_rollback(True)

        assert lines == []


class TestTellAbout:
    def test_stands_on_each_line_of_the_work_that_names_the_thing(self):
        with capture_logs() as lines:
            with kept_or_untold():
                tell_about("order", 12, registration="reg-7")
                shout("place.given", order=12)
                shout("place.given", order=13)
            shout("place.given", order=12)

        known, another, later = ({name: line.get(name) for name in ("order_number", "registration")} for line in lines)
        assert known == {"order_number": order_number(12), "registration": "reg-7"}
        assert another == later == {"order_number": None, "registration": None}
