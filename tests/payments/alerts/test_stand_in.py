import pytest
from django.core import mail

from payments.alerts.models import Alert
from payments.alerts.stand_in import stand_in
from payments.alerts.watch import watch
from payments.effects.models import Effect
from payments.heartbeats import WORKER, note_heartbeat
from payments.statuses import EffectStatus
from tests.support.road import NOON
from tests.support.watching import A_MINUTE

pytestmark = pytest.mark.django_db


class TestStandIn:
    def test_tells_that_no_worker_lives_although_no_worker_sends_mails(self):
        note_heartbeat(WORKER, at=NOON)
        watch(at=NOON)
        other = Effect.objects.create(key="k", kind="nobody.delivers", not_before=NOON, created_at=NOON)

        assert stand_in(at=NOON + 5 * A_MINUTE)

        assert Alert.objects.get().rule == "worker.lost"
        assert len(mail.outbox) == 1
        # Everything else is left to the worker.
        other.refresh_from_db()
        assert (other.status, other.attempts) == (EffectStatus.PENDING, 0)

    def test_leaves_it_to_a_worker_that_watches(self):
        watch(at=NOON)

        assert not stand_in(at=NOON + A_MINUTE)
        assert Alert.objects.count() == 0
