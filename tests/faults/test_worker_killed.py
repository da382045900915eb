"""A worker loses power in the middle of its work: the next one goes on, and nothing is lost or done twice."""

import pytest

from payments.ledger.models import EventAttempt, PaymentEvent
from payments.statuses import EventStatus
from tests.support.deep import so_many
from tests.support.ledger_rows import is_all_done, waiting_events
from tests.support.processes import running_worker, wait_until

pytestmark = pytest.mark.slow
EVENTS = so_many(1_200, deep=5_000)


@pytest.mark.django_db(transaction=True)
class TestWorkerKilledInMidBatch:
    @pytest.mark.parametrize("pool", ["prefork", "threads"])
    def test_loses_and_doubles_nothing(self, tmp_path, pool):
        waiting_events(EVENTS)
        done = PaymentEvent.objects.exclude(status=EventStatus.RECEIVED)
        with running_worker(tmp_path, pool=pool) as victim:
            wait_until(done.exists, or_show=lambda: victim.output)
            victim.kill()
        finished_before = done.count()
        assert 0 < finished_before < EVENTS

        with running_worker(tmp_path, pool=pool) as worker:
            wait_until(is_all_done, or_show=lambda: worker.output)

        assert EventAttempt.objects.count() == EVENTS
        assert EventAttempt.objects.values("event").distinct().count() == EVENTS
