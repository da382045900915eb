"""`manage.py finance_export`: a month as CSV, and a sentence where that cannot be."""

import io

import pytest
import time_machine
from django.core.management import CommandError, call_command

from payments.payouts.models import BalanceEntry, PayoutWalk
from tests.support.everything import pay_out, tell_of_all
from tests.support.road import NOON


@pytest.fixture(autouse=True)
def march(registration):
    tell_of_all(registration)
    pay_out("po_1")
    with time_machine.travel(NOON, tick=False):
        yield


def told(*arguments):
    out, errors = io.StringIO(), io.StringIO()
    call_command("finance_export", *arguments, stdout=out, stderr=errors)
    return out.getvalue().splitlines(), errors.getvalue()


class TestFinanceExport:
    def test_prints_a_row_for_each_movement_and_the_sums(self):
        BalanceEntry.objects.filter(kind="refund").update(amount=-4000, source="@SUM(A1)")

        lines, _errors = told("2026-03")

        assert lines[0] == "Date,Kind,Amount,Fee,Net,Currency,Payout,Order,Stripe id,Entry"
        assert any(",Refund,-40.00,0.99,39.01,EUR,po_1," in line and ",'@SUM(A1)," in line for line in lines)
        assert lines[-1].startswith("Sum,All but payouts,40.00,2.97,117.03,EUR")

    def test_says_that_the_month_is_not_whole_until_it_is(self):
        _lines, errors = told("2026-02")
        assert "Not all of the month has been read" in errors
        PayoutWalk.objects.create(started_at=NOON, finished_at=NOON, since=NOON, is_continued=True)

        assert told("2026-02")[1] == ""

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["November"], "“November” is no month such as 2026-11."),
            (["2026-04"], "2026-04 has not begun yet."),
            (["2026-03", "--currency", "euro"], "“euro” is no currency in which Stripe charges."),
        ],
        ids=str,
    )
    def test_refuses_what_is_none(self, arguments, why):
        with pytest.raises(CommandError, match=why):
            told(*arguments)
