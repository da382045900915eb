from datetime import UTC, datetime, timedelta

import pytest

from payments.names import demo_id
from payments.orders.models import CheckoutAttempt, Order
from payments.reconcile.models import ReconcileRun
from payments.reconcile.window import Window, next_window, not_listed

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ran(db):
    """A run that came to its end, as far back as told."""

    def make(ago, **fields):
        until = NOW - ago
        usual = {"started_at": until, "finished_at": until, "since": until - DAY, "until": until, "is_continued": True}
        return ReconcileRun.objects.create(**{**usual, **fields})

    return make


class TestNextWindow:
    def test_covers_two_days_at_least(self, ran):
        ran(DAY)

        assert next_window(at=NOW).since == NOW - 2 * DAY

    def test_covers_two_days_the_first_time(self, db):
        assert next_window(at=NOW).since == NOW - 2 * DAY

    def test_begins_an_hour_before_the_last_one_ended(self, ran):
        ran(9 * DAY)
        ran(5 * DAY)

        assert next_window(at=NOW).since == NOW - 5 * DAY - HOUR

    @pytest.mark.parametrize("fields", [{"finished_at": None}, {"is_dry_run": True}, {"is_continued": False}], ids=str)
    def test_counts_no_run_that_proves_nothing(self, ran, fields):
        ran(9 * DAY)
        ran(DAY, **fields)

        assert next_window(at=NOW).since == NOW - 9 * DAY - HOUR


class TestNotListed:
    def test_asks_stripe_about_what_its_lists_lack_but_never_about_demo_data(self, db):
        for session in ("cs_test_a1", demo_id("cs_test", 7)):
            order = Order.objects.create(kind="test", amount=4900, currency="eur", created_at=NOW - HOUR)
            CheckoutAttempt.objects.create(order=order, number=1, session=session, created_at=NOW - HOUR)

        found = not_listed(Window(NOW - DAY, NOW), listed=[], also=[])

        assert [name for _subject, name in found] == ["cs_test_a1"]
