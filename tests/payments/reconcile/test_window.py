from datetime import UTC, datetime, timedelta

import pytest

from payments.reconcile.models import ReconcileRun
from payments.reconcile.window import next_window

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
