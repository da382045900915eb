"""A worker loses power while it delivers: mails are shown as uncertain, what may be repeated is done again."""

import sys
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from payments.effects import deliver as registry
from payments.effects.deliver import LOST_AFTER, deliver_due, delivers, recover_claimed
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.statuses import EffectStatus
from tests.support.processes import running


@pytest.fixture
def parcels(monkeypatch):
    """Both sorts of parcels can be delivered in this process; the keys of those that were."""
    monkeypatch.setattr(registry, "_deliverers", dict(registry._deliverers))
    return []


def kill_in_mid_delivery(log, *, sort):
    with transaction.atomic():
        enqueue([EffectRequest(f"parcel:{n}", "parcel", None) for n in range(3)], at=timezone.now())
    with running(sys.executable, "-m", "tests.support.hanging_deliverer", sort, log=log) as victim:
        victim.wait_for("in hand")
        victim.kill()


def statuses():
    return list(Effect.objects.order_by("key").values_list("status", flat=True))


@pytest.mark.django_db(transaction=True)
class TestDelivererKilledInMidDelivery:
    def test_leaves_one_mail_in_doubt_which_is_never_repeated_by_itself(self, tmp_path, parcels):
        delivers("parcel")(lambda effect: parcels.append(effect.key))
        kill_in_mid_delivery(tmp_path / "log", sort="once")
        assert statuses() == [EffectStatus.CLAIMED, EffectStatus.PENDING, EffectStatus.PENDING]
        later = timezone.now() + LOST_AFTER

        assert recover_claimed(at=later) == 1
        deliver_due(at=later + timedelta(days=1))

        assert statuses() == [EffectStatus.UNCERTAIN, EffectStatus.DONE, EffectStatus.DONE]
        assert parcels == ["parcel:1", "parcel:2"]

    def test_leaves_one_refund_that_is_simply_done_again(self, tmp_path, parcels):
        delivers("parcel", repeatable=True)(lambda effect: parcels.append(effect.key))
        kill_in_mid_delivery(tmp_path / "log", sort="repeatable")
        assert statuses() == [EffectStatus.CLAIMED, EffectStatus.PENDING, EffectStatus.PENDING]
        later = timezone.now() + LOST_AFTER

        assert recover_claimed(at=later) == 1
        deliver_due(at=later)

        assert statuses() == [EffectStatus.DONE] * 3
        assert sorted(parcels) == ["parcel:0", "parcel:1", "parcel:2"]
