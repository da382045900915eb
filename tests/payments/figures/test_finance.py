"""A month of money as a table: each movement once, the sums of each currency at the end."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from payments.billing.models import Payment
from payments.figures.finance import (
    NoSuchCurrency,
    NoSuchMonth,
    finance_table,
    months_with_money,
    read_currency,
    read_month,
    read_until,
)
from payments.payouts.models import BalanceEntry, PayoutWalk
from tests.support.everything import make_payout
from tests.support.factories import OrderFactory
from tests.support.road import NOON
from tests.support.subscriptions import make_subscription

MARCH = read_month("2026-03", at=NOON)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def moved(name, amount, *, kind="payment", fee=0, currency="eur", at=NOON, **about):
    return BalanceEntry.objects.create(
        stripe_id=f"txn_{name}", kind=kind, type=kind, amount=amount, fee=fee, net=amount - fee, currency=currency,
        original_amount=amount, original_currency=currency, source=f"ch_{name}", created_at=at, available_at=at,
        **about,
    )  # fmt: skip


class TestReadMonth:
    @pytest.mark.parametrize(
        ("text", "last"), [("2026-02", 28), ("2024-02", 29), (" 2025-12 ", 31), ("2026-03", 31)], ids=str
    )
    def test_has_all_of_its_days(self, text, last):
        month = read_month(text, at=NOON)

        assert (month.first.day, month.last.day, month.first.month) == (1, last, month.last.month)

    @pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-3", "03/2026", "1999-01", "2026-03-01", "٢٠٢٦-٠٣"])
    def test_refuses_what_is_none(self, text):
        with pytest.raises(NoSuchMonth, match="is no month such as 2026-11"):
            read_month(text, at=NOON)

    def test_refuses_one_that_has_not_begun(self):
        with pytest.raises(NoSuchMonth, match="has not begun"):
            read_month("2026-04", at=NOON)


class TestReadCurrency:
    def test_takes_any_spelling_and_none_at_all(self):
        assert [read_currency(text) for text in ("EUR", " jpy ", "")] == ["eur", "jpy", ""]

    def test_refuses_what_is_none(self):
        with pytest.raises(NoSuchCurrency, match="“=cmd” is no currency"):
            read_currency("=cmd")


@pytest.mark.django_db
class TestFinanceTable:
    def test_tells_each_movement_with_its_order_and_payout(self):
        order = OrderFactory()
        payment = Payment.objects.create(key="pi_1", order=order, received=4900, currency="eur")
        moved("1", 4900, fee=99, payment=payment, payout=make_payout("po_1"))

        heads, row, *_sums = finance_table(MARCH)

        assert heads[:6] == ["Date", "Kind", "Amount", "Fee", "Net", "Currency"]
        assert row == [
            "2026-03-02", "Payment", Decimal("49.00"), Decimal("0.99"), Decimal("48.01"), "EUR", "po_1", order.number,
            "ch_1", "txn_1",
        ]  # fmt: skip

    def test_names_the_subscription_where_there_is_no_order(self):
        row = make_subscription("sub_9")
        moved("1", 400, payment=Payment.objects.create(key="in_1", subscription=row, received=400, currency="eur"))

        assert [line[7] for line in finance_table(MARCH)][1] == "sub_9"

    def test_sums_up_each_currency_with_its_own_decimals(self):
        moved("1", 4900, fee=99)
        moved("2", -900, kind="refund")
        moved("3", -3901, kind="payout")
        moved("4", 5000, fee=80, currency="jpy")

        sums = [line[1:6] for line in finance_table(MARCH) if line[0] == "Sum"]

        told = [[label, *map(str, amounts), currency] for label, *amounts, currency in sums]
        assert told == [
            ["Payment", "49.00", "0.99", "48.01", "EUR"], ["Refund", "-9.00", "0.00", "-9.00", "EUR"],
            ["Payout", "-39.01", "0.00", "-39.01", "EUR"], ["All but payouts", "40.00", "0.99", "39.01", "EUR"],
            ["Payment", "5000", "80", "4920", "JPY"], ["All but payouts", "5000", "80", "4920", "JPY"],
        ]  # fmt: skip

    def test_of_a_month_in_which_only_payouts_were_made_has_a_sum_too(self):
        moved("1", -3901, kind="payout")

        assert [str(line[2]) for line in finance_table(MARCH)][-1] == "0.00"

    def test_has_what_happened_in_the_month_by_the_site_s_clock(self):
        for name, at in enumerate([
            datetime(2026, 2, 28, 22, 59, tzinfo=UTC), datetime(2026, 2, 28, 23, 0, tzinfo=UTC),
            datetime(2026, 3, 31, 21, 59, tzinfo=UTC), datetime(2026, 3, 31, 22, 0, tzinfo=UTC),
        ]):  # fmt: skip
            moved(name, 100, at=at)

        assert [line[-1] for line in finance_table(MARCH) if line[-1]][1:] == ["txn_1", "txn_2"]

    def test_may_be_of_one_currency_alone(self):
        moved("1", 4900)
        moved("2", 4900, currency="usd")

        assert {line[5] for line in finance_table(MARCH, currency="usd")} == {"Currency", "USD"}

    def test_of_nothing_has_heads_alone(self):
        assert len(list(finance_table(MARCH))) == 1


@pytest.mark.django_db
class TestMonths:
    def test_go_back_to_the_first_movement(self):
        moved("1", 100, at=datetime(2025, 11, 30, 23, 30, tzinfo=UTC))

        firsts = [month.first for month in months_with_money(at=NOON)]

        assert firsts == [date(2026, 3, 1), date(2026, 2, 1), date(2026, 1, 1), date(2025, 12, 1)]

    def test_are_whole_when_a_walk_that_began_later_has_come_to_its_end(self):
        assert read_until() < MARCH.until
        PayoutWalk.objects.create(started_at=MARCH.until, finished_at=MARCH.until, since=NOON, is_continued=True)

        assert read_until() >= MARCH.until
