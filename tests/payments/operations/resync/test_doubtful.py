from datetime import UTC, datetime, timedelta

import pytest

from payments.billing.models import Subscription
from payments.operations.resync.doubtful import doubtful, look_up_doubtful
from tests.support.members import make_member
from tests.support.resync import heard

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


class TestLookUpDoubtful:
    def test_learns_what_only_stripe_can_tell(self, life, way):
        life.is_subscribed()
        Subscription.objects.create(stripe_id=life.subscription, needs_resync=True)

        looked = look_up_doubtful(way=way())

        assert (looked.asked, looked.changed, looked.failed) == (1, 1, 0)
        assert (Subscription.objects.get().status, Subscription.objects.get().needs_resync) == ("active", False)

    def test_learns_of_a_renewal_of_which_nobody_has_told(self, life, way):
        life.is_subscribed()
        heard()
        Subscription.objects.update(period_end=NOW - timedelta(hours=3), stripe_updated_at=NOW - timedelta(days=31))

        looked = look_up_doubtful(way=way())

        assert looked.changed == 1
        assert Subscription.objects.get().period_end > NOW

    def test_leaves_the_others_alone(self, life, way):
        life.is_subscribed()
        heard()

        assert look_up_doubtful(way=way()).asked == 0

    def test_goes_on_after_one_of_which_stripe_tells_nothing(self, life, way, settings):
        Subscription.objects.create(stripe_id="sub_1", needs_resync=True)
        Subscription.objects.create(stripe_id="sub_2", needs_resync=True)
        settings.STRIPE_SECRET_KEY = ""

        looked = look_up_doubtful(way=way())

        assert (looked.asked, looked.failed) == (2, 2)


class TestDoubtful:
    @pytest.mark.parametrize("status", ["canceled", "paused", "unpaid"])
    def test_asks_nothing_about_what_is_still(self, status):
        make_member(status=status, period_end=NOW - timedelta(days=9), stripe_updated_at=NOW - timedelta(days=9))

        assert not doubtful(at=NOW).exists()
