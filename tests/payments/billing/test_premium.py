from datetime import timedelta

import pytest

from payments.billing.subscribers import access_until, has_premium, told_until
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

    @pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "unpaid", "paused", "canceled", ""])
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

    def test_has_patience_from_the_day_on_which_the_renewal_was_due(self, settings):
        settings.PAST_DUE_GRACE_DAYS = 7
        user = make_member(status="past_due", unpaid_since=NOON - 5 * DAY).customer.user

        assert has_premium(user, at=NOON + 2 * DAY - timedelta(seconds=1))
        assert not has_premium(user, at=NOON + 2 * DAY)

    @pytest.mark.parametrize("status", ["past_due", "unpaid", "paused"])
    def test_shuts_nobody_out_of_what_is_paid(self, status):
        user = make_member(status=status, covered_until=NOON + MONTH, unpaid_since=NOON - MONTH).customer.user

        assert has_premium(user, at=NOON + MONTH - DAY)
        assert not has_premium(user, at=NOON + MONTH)

    def test_ends_with_the_subscription(self):
        user = make_member(status="canceled", ended_at=NOON, covered_until=NOON + MONTH).customer.user

        assert not has_premium(user, at=NOON)

    @pytest.mark.parametrize("status", ["past_due", "unpaid", "paused"])
    def test_lasts_as_long_as_is_paid_whatever_else_is_not(self, status):
        user = make_member(status=status, covered_until=NOON + MONTH).customer.user

        assert has_premium(user, at=NOON + MONTH - DAY)

    def test_ends_with_a_planned_end_be_more_paid_or_not(self):
        end = NOON + 2 * DAY
        user = make_member(status="canceled", ended_at=end, cancel_at=end, covered_until=NOON + MONTH).customer.user

        assert not has_premium(user, at=end)

    def test_is_not_there_while_the_money_of_the_period_is_gone(self):
        assert not has_premium(make_member(money_back="refunded").customer.user, at=NOON)

    def test_lasts_as_long_as_is_paid_while_nothing_is_collected(self):
        user = make_member(pause="void", paid_until=NOON + DAY).customer.user

        assert has_premium(user, at=NOON + DAY - timedelta(seconds=1))
        assert not has_premium(user, at=NOON + DAY)

    def test_is_not_there_in_a_paused_period_that_nobody_paid(self):
        assert not has_premium(make_member(pause="keep_as_draft").customer.user, at=NOON)

    def test_goes_on_while_nothing_is_collected_of_what_costs_nothing(self):
        assert has_premium(make_member(pause="void", amount=0).customer.user, at=NOON)

    def test_asks_for_one_at_least(self):
        assert not has_premium(make_member(quantity=0).customer.user, at=NOON)

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


class TestToldUntil:
    def test_promises_no_days_of_grace(self):
        assert told_until(make_member()) == NOON + MONTH

    def test_tells_the_days_that_are_left_to_pay(self, settings):
        settings.PAST_DUE_GRACE_DAYS = 7

        assert told_until(make_member(status="past_due")) == NOON + 7 * DAY

    def test_tells_nothing_where_nothing_is_open(self):
        assert told_until(make_member(status="unpaid")) is None
