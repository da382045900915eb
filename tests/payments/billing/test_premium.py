from datetime import timedelta

import pytest

from payments.billing.subscribers import access_until, has_premium
from tests.support.factories import NOON, UserFactory
from tests.support.members import MONTH, make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class TestHasPremium:
    @pytest.mark.parametrize("status", ["active", "trialing"])
    def test_is_there_while_the_subscription_runs(self, status):
        user = make_member(status=status).customer.user

        assert has_premium(user, at=NOON)
        assert has_premium(user, at=NOON + MONTH - DAY)

    @pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "unpaid", "paused", "canceled", "", "new"])
    def test_is_not_there_in_any_other_state(self, status):
        assert not has_premium(make_member(status=status).customer.user, at=NOON)

    def test_outlives_a_period_by_the_time_that_news_may_take(self, settings):
        settings.SUBSCRIPTION_GRACE_DAYS = 3
        user = make_member().customer.user

        assert has_premium(user, at=NOON + MONTH + 3 * DAY - timedelta(seconds=1))
        assert not has_premium(user, at=NOON + MONTH + 3 * DAY)

    def test_ends_on_the_day_that_was_asked_for(self):
        user = make_member(cancel_at=NOON + MONTH).customer.user

        assert has_premium(user, at=NOON + MONTH - timedelta(seconds=1))
        assert not has_premium(user, at=NOON + MONTH)

    def test_has_patience_with_a_renewal_that_is_not_paid(self, settings):
        settings.PAST_DUE_GRACE_DAYS = 7
        user = make_member(status="past_due").customer.user

        assert has_premium(user, at=NOON + 7 * DAY - timedelta(seconds=1))
        assert not has_premium(user, at=NOON + 7 * DAY)

    def test_belongs_to_nobody_else(self):
        make_member()

        assert not has_premium(UserFactory(), at=NOON)

    def test_asks_for_one_of_our_plans(self):
        assert not has_premium(make_member(plan=None).customer.user, at=NOON)

    def test_is_given_by_any_of_several(self):
        ended = make_member(status="canceled")
        make_member(user=ended.customer.user)

        assert has_premium(ended.customer.user, at=NOON)


class TestAccessUntil:
    def test_knows_no_end_of_what_has_none(self):
        assert access_until(make_member(period_end=None)) is None
