from datetime import UTC, datetime, timedelta

import pytest

from payments.billing.models import Subscription
from payments.resync.resync import resync_where_needed, subscriptions_in_need
from tests.support.members import make_member
from tests.support.resync import heard

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


class TestResyncWhereNeeded:
    def test_learns_what_only_stripe_can_tell(self, life, options):
        life.is_subscribed()
        Subscription.objects.create(stripe_id=life.subscription, needs_resync=True)

        summary = resync_where_needed(options=options())

        assert (summary.asked, summary.changed, summary.failed) == (1, 1, 0)
        assert (Subscription.objects.get().status, Subscription.objects.get().needs_resync) == ("active", False)

    def test_learns_of_a_renewal_of_which_nobody_has_told(self, life, options):
        life.is_subscribed()
        heard()
        Subscription.objects.update(period_end=NOW - timedelta(hours=3), stripe_updated_at=NOW - timedelta(days=31))

        summary = resync_where_needed(options=options())

        assert summary.changed == 1
        assert Subscription.objects.get().period_end > NOW

    def test_leaves_the_others_alone(self, life, options):
        life.is_subscribed()
        heard()

        assert resync_where_needed(options=options()).asked == 0

    def test_goes_on_after_one_of_which_stripe_tells_nothing(self, life, options, settings):
        Subscription.objects.create(stripe_id="sub_1", needs_resync=True)
        Subscription.objects.create(stripe_id="sub_2", needs_resync=True)
        settings.STRIPE_SECRET_KEY = ""

        summary = resync_where_needed(options=options())

        assert (summary.asked, summary.failed) == (2, 2)


class TestSubscriptionsInNeed:
    @pytest.mark.parametrize("status", ["canceled", "paused", "unpaid"])
    def test_asks_nothing_about_what_is_still(self, status):
        make_member(status=status, period_end=NOW - timedelta(days=9), stripe_updated_at=NOW - timedelta(days=9))

        assert not subscriptions_in_need(at=NOW).exists()
