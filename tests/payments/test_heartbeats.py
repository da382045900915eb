from datetime import timedelta

import pytest

from payments.heartbeats import WORKER, Heartbeat, last_heartbeats, note_heartbeat
from tests.support.road import NOON

pytestmark = pytest.mark.django_db
A_MINUTE = timedelta(minutes=1)


class TestNoteHeartbeat:
    def test_keeps_one_row_with_the_first_and_the_last_sign(self):
        note_heartbeat(WORKER, at=NOON)
        note_heartbeat(WORKER, at=NOON + A_MINUTE)

        row = Heartbeat.objects.get()

        assert (row.first_at, row.at) == (NOON, NOON + A_MINUTE)
        assert last_heartbeats() == {WORKER: NOON + A_MINUTE}

    def test_is_busy_from_80_percent_until_it_falls_below_50(self):
        since = []
        for minute, percent in enumerate((70, 85, 60, 90, 49, 81, None)):
            note_heartbeat(WORKER, at=NOON + minute * A_MINUTE, cpu_percent=percent)
            since.append(Heartbeat.objects.get().busy_since)

        begun, again = NOON + A_MINUTE, NOON + 5 * A_MINUTE
        assert since == [None, begun, begun, begun, None, again, again]

    def test_forgets_machines_that_are_gone_but_not_itself(self):
        Heartbeat.objects.create(name=WORKER, host="gone", at=NOON, first_at=NOON)
        note_heartbeat(WORKER, at=NOON)

        note_heartbeat(WORKER, at=NOON + timedelta(days=2))

        row = Heartbeat.objects.get()
        assert (row.first_at, row.at) == (NOON, NOON + timedelta(days=2))
