"""What the money of a subscription asks staff, worked out from all that is known of it."""

from datetime import timedelta

import pytest

from payments.billing.fold import questions_of_subscription, settle_periods
from payments.billing.models import Dispute, Payment, Plan, Subscription
from payments.orders.fold import lost_of
from payments.statuses import DisputePhase
from tests.support.subscriptions import BEGIN, END, NOON

PLAN = Plan(amount=400, currency="eur", interval="month", price="price_1", former_prices=["price_0"])
COSTS = {"amount": 400, "interval": "month", "interval_count": 1}
DAY = timedelta(days=1)


def subscription(**fields):
    usual = {"status": "active", "stripe_updated_at": NOON, "currency": "eur", "period_start": BEGIN, "period_end": END}
    return Subscription(pk=1, stripe_id="sub_1", **{**usual, **fields})


def payment(key="in_1", **fields):
    usual = {"currency": "eur", "received": 400, "paid_at": BEGIN, "period_start": BEGIN, "period_end": END}
    return Payment(key=key, **{**usual, **fields})


def dispute(amount=400, *, phase=DisputePhase.LOST):
    return Dispute(payment="in_1", phase=phase, amount=amount, currency="eur")


def asked(row, *payments, disputes=(), plan=PLAN):
    for each in payments:
        each.lost = lost_of(each, disputes)
    settle_periods(row, payments=payments)
    found = questions_of_subscription(row, payments=payments, disputes=disputes, plan=plan)
    return [(str(each.kind), each.subject) for each in found if each.is_open]


class TestQuestionsOfSubscription:
    def test_are_none_where_all_is_as_it_must(self):
        assert asked(subscription(), payment()) == []

    def test_speak_of_each_payment_with_its_amount_and_of_no_order(self):
        [_price, first, *_] = questions_of_subscription(subscription(), payments=[payment()], disputes=[], plan=PLAN)

        assert (first.order_id, first.subscription_id) == (None, 1)
        assert first.values["received"] == {"amount": 400, "currency": "eur"}

    def test_ask_about_money_that_came_after_its_end(self):
        ended = subscription(status="canceled", ended_at=NOON)

        assert asked(ended, payment(paid_at=NOON + DAY)) == [("PAID_AFTER_END", "in_1")]
        assert asked(ended, payment(paid_at=NOON)) == []
        assert asked(ended, payment(paid_at=NOON + DAY, refunded=400)) == []

    def test_ask_about_money_of_which_nothing_else_is_known(self):
        unknown = subscription(status="", stripe_updated_at=None, period_start=None, period_end=None, currency="")

        assert asked(unknown, payment()) == [("UNKNOWN_SUBSCRIPTION", "in_1")]

    @pytest.mark.parametrize(
        ("told", "is_asked"),
        [
            ({"prices": ["price_other"]}, True),
            ({"price": "price_other"}, True),
            ({"price": "price_other", **COSTS}, False),
            ({"price": "price_other", **COSTS, "amount": 900}, True),
            ({"price": "price_other", **COSTS, "interval": "year"}, True),
            ({"prices": ["price_other", "price_1"]}, False),
            ({"prices": ["price_0"]}, False),
            ({"prices": []}, False),
            ({"prices": ["price_other"], "status": "canceled", "ended_at": NOON}, False),
        ],
    )
    def test_ask_about_a_price_that_belongs_to_no_plan(self, told, is_asked):
        assert asked(subscription(**told)) == ([("UNKNOWN_PRICE", "sub_1")] if is_asked else [])

    def test_ask_nothing_about_prices_where_there_is_no_plan(self):
        assert asked(subscription(prices=["price_other"]), plan=None) == []

    def test_ask_about_the_second_payment_of_a_period(self):
        second = payment("in_2", paid_at=BEGIN + DAY)

        assert asked(subscription(), second, payment()) == [("SECOND_PAYMENT", "in_2")]

    def test_do_not_ask_about_a_second_payment_that_went_back(self):
        assert asked(subscription(), payment(), payment("in_2", refunded=400)) == []

    @pytest.mark.parametrize("other", [{"period_start": BEGIN + DAY}, {"period_start": None, "period_end": None}])
    def test_take_a_change_of_plan_for_no_second_payment(self, other):
        assert asked(subscription(), payment(), payment("in_2", **other)) == []

    @pytest.mark.parametrize(("own", "plans"), [("usd", "eur"), ("eur", "usd"), ("", "usd")])
    def test_ask_about_another_currency_than_the_subscriptions_or_the_plans(self, own, plans):
        assert asked(subscription(currency=own), payment(), plan=Plan(currency=plans)) == [("AMOUNT_MISMATCH", "in_1")]

    def test_ask_what_becomes_of_it_when_all_of_the_period_was_refunded(self):
        assert asked(subscription(), payment(refunded=400)) == [("PERIOD_REFUNDED", "in_1")]

    def test_ask_what_becomes_of_it_when_all_of_the_period_was_lost(self):
        assert asked(subscription(), payment(), disputes=[dispute()]) == [("PERIOD_REFUNDED", "in_1")]

    @pytest.mark.parametrize("status", ["canceled", "incomplete_expired", "incomplete"])
    def test_do_not_ask_that_of_what_is_billed_no_more(self, status):
        assert asked(subscription(status=status, ended_at=NOON), payment(refunded=400)) == []

    def test_do_not_ask_that_once_staff_gave_the_access_back(self):
        assert asked(subscription(), payment(refunded=400, access_kept=True)) == []

    def test_ask_about_a_part_that_went_back(self):
        assert asked(subscription(), payment(refunded=150)) == [("PARTLY_REFUNDED", "in_1")]

    @pytest.mark.parametrize("phase", [DisputePhase.OPEN, DisputePhase.LOST])
    def test_ask_about_a_part_that_is_disputed_or_lost(self, phase):
        assert asked(subscription(), payment(), disputes=[dispute(100, phase=phase)]) == [("PARTLY_DISPUTED", "in_1")]

    def test_do_not_ask_about_a_dispute_of_all_that_is_still_open(self):
        assert asked(subscription(), payment(), disputes=[dispute(phase=DisputePhase.OPEN)]) == []

    def test_do_not_ask_about_a_period_that_is_over(self):
        former = payment("in_0", period_start=BEGIN - 30 * DAY, period_end=BEGIN, refunded=400)

        assert asked(subscription(), former, payment()) == []
