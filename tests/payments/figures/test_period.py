from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import User
from payments.billing.models import Plan
from payments.figures.days import Days
from payments.figures.export import as_csv, as_json, no_formula
from payments.figures.models import DailyFigure, FiguresState
from payments.figures.period import quantile, read_figures
from payments.figures.stock import count_stock
from tests.support.factories import NOON, UserFactory
from tests.support.subscriptions import make_customer, make_subscription

TODAY = date(2026, 3, 2)


def figure(name, count, amount=0, *, day=TODAY, currency="", part=""):
    DailyFigure.objects.create(day=day, figure=name, currency=currency, part=part, count=count, amount=amount)


@pytest.fixture
def week(db):
    """Two currencies, two cities in several spellings, events of which two failed."""
    yesterday, before = TODAY - timedelta(days=1), TODAY - timedelta(days=7)
    figure("received", 2, 9800, currency="eur")
    figure("received", 1, 4900, day=yesterday, currency="eur")
    figure("received", 9, 90000, day=before, currency="eur")
    figure("refunded", 1, 500, currency="eur")
    figure("lost", 1, 4900, day=yesterday, currency="eur")
    figure("won_back", 1, 4900, currency="eur")
    figure("received", 1, 3000, currency="jpy")
    figure("city", 1, 4900, currency="eur", part="Lyon")
    figure("city", 1, 4900, day=yesterday, currency="eur", part="Lyon")
    figure("city", 1, 1000, day=yesterday, currency="eur", part="lyon")
    figure("city", 1, 4900, currency="eur", part="Nantes")
    figure("begun", 4, part="registration")
    figure("paid", 3, part="registration")
    figure("events", 50)
    figure("events_done", 40)
    figure("events_failed", 10)
    figure("lag", 40, part="1")
    figure("accesses", 2, part="purchase")
    stock = {"users": 50, "premium": 9, "subscriptions": []}
    FiguresState.objects.create(pk=1, refreshed_at=NOON, stock=stock)


class TestDays:
    def test_have_23_or_25_hours_where_the_clock_changes(self, db):
        spring, autumn = (Days(date(2026, *day), date(2026, *day)) for day in ((3, 29), (10, 25)))

        assert spring.until.timestamp() - spring.since.timestamp() == 23 * 60 * 60
        assert autumn.until.timestamp() - autumn.since.timestamp() == 25 * 60 * 60
        assert spring.since == datetime(2026, 3, 28, 23, tzinfo=UTC)


class TestReadFigures:
    def test_sums_each_currency_for_itself_over_all_days(self, week):
        eur, jpy = read_figures("7d", at=NOON).money

        assert (eur.currency, jpy.currency) == ("eur", "jpy")
        assert (eur.total.received, eur.total.net, eur.total.transactions) == (14700, 14200, 3)
        assert [day.net for day in eur.days] == [0, 0, 0, 0, 0, 0, 14200]
        assert jpy.total.net == 3000

    def test_puts_the_cities_first_that_brought_most_however_they_are_spelled(self, week):
        cities = read_figures("7d", at=NOON).cities

        assert [(each.city, each.received, each.transactions) for each in cities] == [
            ("Lyon", 10800, 3), ("Nantes", 4900, 1),
        ]  # fmt: skip

    def test_says_how_events_went(self, week):
        figures = read_figures("7d", at=NOON)

        assert (figures.success_rate, figures.lag(0.5)) == (80.0, pytest.approx(0.015))
        assert (figures.fails_too_often, figures.is_stale) == (True, False)
        assert figures.conversion_rate == 18.0

    def test_knows_when_nobody_counts(self, week):
        assert read_figures("7d", at=NOON + timedelta(minutes=3)).is_stale

    def test_costs_four_queries(self, week, django_assert_num_queries):
        with django_assert_num_queries(4):
            read_figures("90d", at=NOON)


class TestExport:
    def test_writes_a_row_for_each_day_and_currency(self, week):
        lines = as_csv(read_figures("7d", at=NOON)).splitlines()

        assert len(lines) == 1 + 2 * 7
        assert lines[6:8] == [
            "2026-03-01,eur,49.00,0.00,49.00,0.00,0.00,1", "2026-03-02,eur,98.00,5.00,0.00,49.00,142.00,2",
        ]  # fmt: skip
        assert lines[-1] == "2026-03-02,jpy,3000,0,0,0,3000,1"

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1"])
    def test_lets_no_text_become_a_formula(self, text):
        assert no_formula(text) == f"'{text}"

    def test_speaks_the_names_of_the_former_dashboard(self, week):
        told = as_json(read_figures("7d", at=NOON))

        assert set(told) >= {"period", "revenue", "subscriptions", "geographic", "summary"}
        assert told["period"] == {
            "start": "2026-02-24T00:00:00+01:00", "end": NOON.isoformat(), "timeframe": "7d",
        }  # fmt: skip
        assert told["revenue"]["total"] == {"eur": 14700, "jpy": 3000}
        assert told["revenue"]["daily"][6] == {
            "_id": "2026-03-02", "currency": "eur", "totalRevenue": 9800, "transactionCount": 2, "refunded": 500,
            "disputesLost": 0, "disputesWonBack": 4900, "net": 14200,
        }  # fmt: skip
        assert told["subscriptions"]["conversionRate"] == 18.0
        assert told["geographic"][0] == {"_id": "Lyon", "currency": "eur", "revenue": 10800, "transactions": 3}
        assert told["summary"] == {"totalUsers": 50, "premiumUsers": 9, "freeUsers": 41}


class TestQuantile:
    @pytest.mark.parametrize(
        ("buckets", "share", "value"), [([0, 0, 0], 0.5, None), ([2, 2, 0], 0.75, 1.5), ([0, 0, 3], 0.5, 2.0)]
    )
    def test_is_estimated_within_its_bucket(self, buckets, share, value):
        assert quantile(buckets, share, bounds=(1.0, 2.0)) == value


class TestCountStock:
    def test_counts_plans_by_state_and_what_they_bring_in_a_month(self, db):
        running = {"period_end": NOON + timedelta(days=5), "currency": "eur"}
        monthly = {"plan": Plan.objects.get(slug="monthly"), "interval": "month", "amount": 400, **running}
        yearly = {"plan": Plan.objects.get(slug="yearly"), "interval": "year", "amount": 3000, **running}
        people = [make_customer(f"cus_{number}", user=UserFactory()) for number in range(6)]
        make_subscription("sub_1", status="active", customer=people[0], **monthly)
        make_subscription("sub_2", status="active", customer=people[1], **{**monthly, "amount": 1200}, quantity=3)
        make_subscription("sub_3", status="trialing", customer=people[2], **monthly)
        make_subscription("sub_4", status="active", customer=people[3], **yearly)
        make_subscription("sub_5", status="active", pause="void", customer=people[4], **yearly)
        past = {**monthly, "period_start": NOON - timedelta(days=1), "unpaid_since": NOON - timedelta(days=1)}
        make_subscription("sub_6", status="past_due", customer=people[5], **past)
        make_subscription("sub_7", status="canceled", customer=people[0], **monthly)

        stock = count_stock(at=NOON)

        lines = {line["plan"]: line for line in stock["subscriptions"]}
        shown = ("active", "trialing", "overdue", "paused", "mrr", "trial_mrr")
        assert [lines["monthly"][name] for name in shown] == [2, 1, 1, 0, 1600, 400]
        assert [lines["yearly"][name] for name in shown] == [1, 0, 0, 1, 250, 0]
        # All but the one of whom nothing is collected and nothing is paid.
        assert (stock["users"], stock["premium"]) == (User.objects.count(), 5)
