import pytest
from django.db import connection

from payments.admin.kit import screens
from payments.admin.kit.screens import EstimatingPaginator, estimated_size
from payments.ledger.models import PaymentEvent
from tests.support.ledger_rows import UNHANDLED_TYPE, waiting_events


@pytest.fixture
def large_table(db, monkeypatch):
    """A table that counts as large, whose statistics are a little old."""
    monkeypatch.setattr(screens, "EXACT_COUNT_MAX_ROWS", 30)
    waiting_events(40)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE payments_paymentevent")
    waiting_events(2)


def size(rows):
    return EstimatingPaginator(rows.order_by("pk"), 10).count


class TestEstimatingPaginator:
    def test_takes_the_estimate_for_a_large_table(self, large_table):
        assert size(PaymentEvent.objects.all()) == 40

    def test_counts_what_was_filtered(self, large_table):
        assert size(PaymentEvent.objects.filter(type=UNHANDLED_TYPE)) == 42

    def test_counts_a_small_table(self, large_table, monkeypatch):
        monkeypatch.setattr(screens, "EXACT_COUNT_MAX_ROWS", 10_000)

        assert size(PaymentEvent.objects.all()) == 42


class TestEstimatedSize:
    def test_of_a_table_that_was_never_looked_at_is_below_nothing(self, db):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE fresh (id int)")

        assert estimated_size("fresh") == -1
