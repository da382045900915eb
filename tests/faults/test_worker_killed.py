"""A worker loses power in the middle of its work: the next one goes on, and nothing is lost or done twice."""

import pytest

from payments.ledger.models import EventAttempt, PaymentEvent
from payments.statuses import EventStatus
from tests.support.ledger_rows import is_all_done, waiting_events
from tests.support.processes import running_worker, wait_until

pytestmark = pytest.mark.slow


@pytest.mark.django_db(transaction=True)
class TestWorkerKilledInMidBatch:
    @pytest.mark.parametrize("pool", ["prefork", "threads"])
    def test_loses_and_doubles_nothing(self, tmp_path, pool):
        waiting_events(5000)
        done = PaymentEvent.objects.exclude(status=EventStatus.RECEIVED)
        with running_worker(tmp_path, pool=pool) as victim:
            wait_until(done.exists, or_show=lambda: victim.output)
            victim.kill()
        finished_before = done.count()
        assert 0 < finished_before < 5000

        with running_worker(tmp_path, pool=pool) as worker:
            wait_until(is_all_done, seconds=40, or_show=lambda: worker.output)

        assert EventAttempt.objects.count() == 5000
        assert EventAttempt.objects.values("event").distinct().count() == 5000
