"""Which period is paid, since when one is not, and whether its money went back (docs/adr/0013)."""

from datetime import timedelta

import pytest

from payments.billing.fold import running_payments, settle_periods
from payments.billing.models import Dispute, Payment, Subscription
from payments.orders.fold import lost_of
from payments.statuses import DisputePhase
from tests.support.subscriptions import BEGIN, END

DAY, MONTH = timedelta(days=1), timedelta(days=30)


def subscription(**fields):
    usual = {"stripe_id": "sub_1", "status": "active", "period_start": BEGIN, "period_end": END}
    return Subscription(**{**usual, **fields})


def payment(key="in_1", **fields):
    usual = {"currency": "eur", "received": 400, "paid_at": BEGIN, "period_start": BEGIN, "period_end": END}
    return Payment(key=key, **{**usual, **fields})


def former(**fields):
    """Of the period before."""
    return payment("in_0", **{"paid_at": BEGIN - MONTH, "period_start": BEGIN - MONTH, "period_end": BEGIN, **fields})


def dispute(amount=400, *, phase=DisputePhase.LOST, **fields):
    return Dispute(payment="in_1", phase=phase, **{"amount": amount, "currency": "eur", **fields})


def settled(row, *payments, disputes=()):
    for each in payments:
        each.lost = lost_of(each, disputes)
    settle_periods(row, payments=payments)
    return row


class TestRunningPayments:
    def test_are_those_of_the_running_period(self):
        running = payment()

        assert running_payments(subscription(), [former(), running]) == [running]

    def test_are_those_of_the_last_one_until_the_running_one_is_paid(self):
        last = former()

        assert running_payments(subscription(), [last]) == [last]

    def test_are_all_that_pay_the_same_period(self):
        both = [payment(), payment("in_2")]

        assert running_payments(subscription(), both) == both

    def test_leave_out_a_longer_period_that_was_changed_from(self):
        month, year = payment(paid_at=BEGIN + DAY), payment("in_0", period_end=END + 11 * MONTH)

        assert running_payments(subscription(), [year, month]) == [month]

    def test_leave_out_what_pays_no_period(self):
        assert running_payments(subscription(), [payment(period_end=None), payment("in_2", received=0)]) == []


class TestSettlePeriods:
    def test_covers_what_is_paid(self):
        row = settled(subscription(), former(), payment())

        assert (row.covered_until, row.money_back) == (END, "")

    def test_covers_nothing_that_is_not_paid(self):
        assert settled(subscription(), former()).covered_until is None

    def test_sees_that_all_of_it_was_refunded(self):
        row = settled(subscription(), former(), payment(refunded=400))

        assert (row.covered_until, row.money_back) == (None, "refunded")

    def test_sees_that_a_bank_has_taken_all_of_it(self):
        row = settled(subscription(), payment(), disputes=[dispute()])

        assert (row.covered_until, row.money_back) == (None, "dispute_lost")

    def test_adds_what_was_refunded_and_what_was_lost(self):
        assert settled(subscription(), payment(refunded=100), disputes=[dispute(300)]).money_back == "dispute_lost"

    @pytest.mark.parametrize("phase", [DisputePhase.OPEN, DisputePhase.CLOSED])
    def test_counts_no_dispute_that_is_not_lost(self, phase):
        assert settled(subscription(), payment(), disputes=[dispute(phase=phase)]).money_back == ""

    def test_takes_a_part_for_a_part(self):
        assert settled(subscription(), payment(refunded=399)).money_back == ""
        assert settled(subscription(), payment(), disputes=[dispute(399)]).covered_until == END

    def test_does_not_care_about_a_period_that_is_over(self):
        row = settled(subscription(), former(refunded=400), payment())

        assert (row.covered_until, row.money_back) == (END, "")

    def test_stays_so_until_a_later_period_is_paid(self):
        later = subscription(period_start=END, period_end=END + MONTH)

        assert settled(later, payment(refunded=400)).money_back == "refunded"
        renewal = payment("in_2", paid_at=END, period_start=END, period_end=END + MONTH)
        assert settled(later, payment(refunded=400), renewal).money_back == ""

    def test_counts_a_later_period_that_cost_nothing(self):
        later = subscription(period_start=END, period_end=END + MONTH, last_paid_at=END + DAY, paid_until=END + MONTH)

        assert settled(later, payment(refunded=400)).money_back == ""

    def test_goes_on_with_the_other_of_two_payments(self):
        row = settled(subscription(), payment(), payment("in_2", paid_at=BEGIN + DAY, refunded=400))

        assert (row.covered_until, row.money_back) == (END, "")

    def test_obeys_staff_who_gave_the_access_back(self):
        row = settled(subscription(), payment(refunded=400, access_kept=True))

        assert (row.covered_until, row.money_back) == (END, "")

    def test_is_unpaid_since_the_last_paid_period_ended_however_many_followed(self):
        third = subscription(period_start=END, period_end=END + MONTH)

        assert settled(third, former()).unpaid_since == BEGIN

    def test_is_unpaid_since_its_beginning_where_none_was_paid(self):
        assert settled(subscription()).unpaid_since == BEGIN

    def test_gives_who_is_sent_an_invoice_their_days(self):
        assert settled(subscription(days_until_due=14), former()).unpaid_since == BEGIN + 14 * DAY

    def test_knows_nothing_of_what_has_no_period(self):
        assert settled(subscription(period_start=None)).unpaid_since is None
