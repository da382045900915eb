import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail as post
from django.db import connection, transaction

from payments.billing.models import Payment
from payments.effects.deliver import deliver_due
from payments.facts import CustomerFact, ObjectRefs
from payments.figures import rollup
from payments.figures.check import check_figures
from payments.figures.models import DailyFigure, FiguresState
from payments.figures.rollup import compare_all, refresh_figures
from payments.ledger.models import PaymentEvent
from payments.moved_days import MovedDay
from payments.processing.replay import replay_event
from payments.statuses import EventStatus
from tests.payments.figures.plain import plain_money, rolled_up_money, told
from tests.support.factories import ActivityFactory, OrderFactory, RegistrationFactory, UserFactory
from tests.support.road import event_of, hear
from tests.support.subscriptions import make_customer, make_subscription, paid, tell

# Long before today, so that only marks can move a figure.
JUNE = datetime(2026, 6, 1, 12, tzinfo=UTC)
# 00:30 of the next day in Paris.
LATE = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


def later(**passed):
    return JUNE + timedelta(**passed)


def heard(row, event_type, *, at, **variation):
    hear(event_of(row, event_type, at=at, **variation), at=JUNE)


def refreshed(minutes=1):
    assert refresh_figures(at=later(minutes=minutes))


@pytest.fixture
def registration(db):
    """Has begun to pay; the days before today are counted only when they are marked."""
    row = RegistrationFactory(order__created_at=LATE - timedelta(minutes=10))
    FiguresState.objects.create(pk=1, refreshed_at=JUNE, stock_at=JUNE)
    return row


def pay(row, *, at=LATE):
    heard(row, "checkout.session.completed", at=at)


class TestRefreshFigures:
    def test_counts_money_on_the_day_of_the_site(self, registration):
        pay(registration)
        refreshed()

        assert told("received") == {("2026-03-03", "eur"): (1, 4900)}
        assert told("paid") == {("2026-03-03", "registration"): (1, 0)}

    def test_counts_each_refund_on_its_own_day_though_its_news_go_on(self, registration):
        pay(registration)
        refund = {"amount": 500, "status": "succeeded"}
        heard(registration, "refund.created", at=LATE + timedelta(days=5), **refund)
        refreshed(1)
        heard(registration, "refund.updated", at=LATE + timedelta(days=9), **refund)
        refreshed(2)

        assert told("refunded") == {("2026-03-08", "eur"): (1, 500)}
        assert told("received") == {("2026-03-03", "eur"): (1, 4900)}

    def test_forgets_a_refund_that_fails(self, registration):
        pay(registration)
        heard(registration, "refund.created", at=LATE + timedelta(days=5), amount=500, status="pending")
        refreshed(1)
        heard(registration, "refund.failed", at=LATE + timedelta(days=7), amount=500, status="failed")
        refreshed(2)

        assert told("refunded") == {}

    def test_counts_what_only_the_charge_tells_as_refunded_with_its_payment(self, registration):
        pay(registration)
        heard(registration, "charge.refunded", at=LATE + timedelta(days=5), amount=700)
        refreshed(1)
        assert told("refunded") == {("2026-03-03", "eur"): (1, 700)}

        heard(registration, "refund.created", at=LATE + timedelta(days=5), amount=700, status="succeeded")
        refreshed(2)
        assert told("refunded") == {("2026-03-08", "eur"): (1, 700)}

    @pytest.mark.parametrize("order", [("lost", "won"), ("won", "lost")])
    def test_counts_a_lost_dispute_and_its_late_win_each_on_its_day(self, registration, order):
        pay(registration)
        days = {"lost": 10, "won": 20}
        for minutes, status in enumerate(order, start=1):
            heard(registration, "charge.dispute.closed", at=LATE + timedelta(days=days[status]), status=status)
            refreshed(minutes)

        assert told("lost") == {("2026-03-13", "eur"): (1, 4900)}
        assert told("won_back") == {("2026-03-23", "eur"): (1, 4900)}

    def test_agrees_with_a_plain_recomputation_after_every_piece_of_news(self, registration):
        other = RegistrationFactory(activity=ActivityFactory(currency="usd", price=3000))
        summer, winter = datetime(2026, 3, 29, 22, 30, tzinfo=UTC), datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
        story = [
            (registration, "payment_intent.succeeded", LATE, {}),
            (registration, "charge.dispute.created", winter, {}),
            (other, "refund.created", summer, {"amount": 1000, "status": "succeeded"}),
            (other, "checkout.session.completed", winter, {}),
            (registration, "charge.dispute.closed", summer, {"status": "lost"}),
            (other, "charge.refunded", summer, {"amount": 1500}),
            (registration, "checkout.session.completed", LATE - timedelta(hours=2), {}),
        ]
        for minutes, (row, event_type, at, variation) in enumerate(story, start=1):
            heard(row, event_type, at=at, **variation)
            refreshed(minutes)

            assert rolled_up_money() == plain_money()
        assert {currency for _day, _figure, currency in rolled_up_money()} == {"eur", "usd"}

    def test_counts_what_subscriptions_pay_by_the_city_that_is_known_last(self, registration):
        make_subscription(customer=make_customer(city="Nantes", located_at=LATE))
        tell(paid(paid_at=LATE))
        refreshed(1)
        assert told("city") == {("2026-03-03", "eur"): (1, 400)}

        tell(CustomerFact(ObjectRefs(customer="cus_1"), JUNE, city="Lyon"))
        refreshed(2)

        assert told("received") == {("2026-03-03", "eur"): (1, 400)}
        assert DailyFigure.objects.get(figure="city").part == "Lyon"

    def test_counts_days_that_are_not_over_without_a_mark(self, registration):
        OrderFactory(created_at=later(minutes=1))
        refreshed(2)

        assert told("begun")["2026-06-01", "registration"] == (1, 0)

    def test_counts_all_days_since_the_last_time_however_long_ago(self, registration):
        OrderFactory(created_at=later(days=2))
        for minutes in (1, 2):
            refresh_figures(at=later(days=40, minutes=minutes))

        assert told("begun")["2026-06-03", "registration"] == (1, 0)
        assert not MovedDay.objects.exists()

    def test_begins_with_all_of_the_history(self, registration):
        FiguresState.objects.all().delete()
        for minutes in (1, 2):
            refresh_figures(at=LATE + timedelta(days=40, minutes=minutes))

        assert told("begun") == {("2026-03-03", "registration"): (1, 0)}
        assert not MovedDay.objects.exists()

    def test_counts_declines_apart_from_our_own_errors(self, registration):
        heard(registration, "payment_intent.payment_failed", at=LATE)
        hear({**event_of(registration, "checkout.session.completed"), "data": {"object": {"id": "cs_1"}}}, at=JUNE)
        refreshed()

        today = "2026-06-01"
        counts = {name: told(name).get((today, ""), (0, 0))[0] for name in ("declined", "events", "events_failed")}
        assert counts == {"declined": 1, "events": 2, "events_failed": 1}
        assert sum(count for count, _amount in told("lag").values()) == 1

    def test_counts_an_old_event_anew_that_is_tried_again(self, registration):
        pay(registration)
        event = PaymentEvent.objects.get()
        PaymentEvent.objects.update(received_at=JUNE - timedelta(days=20), status=EventStatus.DEAD)
        replay_event(event=event, by=UserFactory(), reason="again", at=later(minutes=1))
        hear(at=later(minutes=1))
        refreshed(2)

        assert told("events_done")["2026-05-12", ""] == (1, 0)

    def test_is_due_at_once_after_a_mark_else_after_some_seconds(self, registration):
        assert not refresh_figures(at=later(seconds=4))
        MovedDay.objects.create(day=date(2026, 3, 3))
        assert refresh_figures(at=later(seconds=1))

        FiguresState.objects.update(took_ms=0)
        assert not refresh_figures(at=later(seconds=5))
        assert refresh_figures(at=later(seconds=6))

    def test_counts_many_days_here_and_there_a_few_at_a_time(self, registration):
        MovedDay.objects.bulk_create(MovedDay(day=date(2026, 3, 1) + timedelta(days=2 * number)) for number in range(9))
        refreshed(1)
        assert sorted(row.day.day for row in MovedDay.objects.all()) == [1, 3, 5]

        refreshed(2)
        assert not MovedDay.objects.exists()

    def test_leaves_time_for_others_where_a_day_is_large(self, registration):
        FiguresState.objects.update(took_ms=1000)
        MovedDay.objects.create(day=date(2026, 3, 3))

        assert not refresh_figures(at=later(seconds=9))
        assert refresh_figures(at=later(seconds=10))


class TestMarks:
    def test_are_not_left_where_no_money_moved(self, registration):
        heard(registration, "payment_intent.payment_failed", at=LATE)

        assert not MovedDay.objects.exists()

    def test_are_gone_with_what_was_rolled_back(self, registration):
        with transaction.atomic():
            pay(registration)
            assert [row.day for row in MovedDay.objects.all()] == [date(2026, 3, 3)]
            transaction.set_rollback(True)
        assert not MovedDay.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_what_commits_while_a_day_is_counted_is_counted_again(self, monkeypatch):
        """The rows were read before the commit; its mark is younger than those that were taken."""
        first, second = RegistrationFactory(), RegistrationFactory()
        pay(first)
        read, count = threading.Event(), rollup.count_days

        def slowly(days):
            found = count(days)
            if not read.is_set() and any(key[0] == date(2026, 3, 3) for key in found):
                thread = threading.Thread(target=lambda: (pay(second), connection.close()))
                thread.start()
                thread.join(timeout=30)
                read.set()
            return found

        FiguresState.objects.create(pk=1, refreshed_at=JUNE, stock_at=JUNE)
        monkeypatch.setattr(rollup, "count_days", slowly)
        assert refresh_figures(at=later(minutes=1))
        marks = MovedDay.objects.filter(day=date(2026, 3, 3)).count()
        assert told("received") == {("2026-03-03", "eur"): (1, 4900)}
        refreshed(2)

        assert marks == 1
        assert told("received") == {("2026-03-03", "eur"): (2, 9800)}

    def test_only_one_counts_at_a_time(self):
        results = []

        def other():
            results.append(refresh_figures(at=JUNE))
            connection.close()

        with transaction.atomic():
            assert rollup.take_advisory_lock(rollup.LOCK)
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(timeout=30)
        assert results == [False]


class TestCheckFigures:
    def test_finds_nothing_where_all_is_well(self, registration):
        pay(registration)
        refreshed()

        assert check_figures(at=later(hours=1)) == []
        assert FiguresState.objects.get().checked_at == later(hours=1)

    def test_puts_right_what_went_past_its_mark_and_tells_staff(self, registration, settings):
        settings.STRIPE_ALERT_EMAIL = ["staff@example.com"]
        pay(registration)
        refreshed()
        Payment.objects.update(received=4800)
        DailyFigure.objects.create(day=date(2026, 3, 5), figure="received", currency="gbp", count=1, amount=5)

        wrong = check_figures(at=later(hours=1))

        assert [(each.key[1:3], each.told, each.counted) for each in wrong if each.key[1] == "received"] == [
            (("received", "eur"), (1, 4900), (1, 4800)), (("received", "gbp"), (1, 5), None),
        ]  # fmt: skip
        assert told("received") == {("2026-03-03", "eur"): (1, 4800)}
        deliver_due(at=later(hours=1))
        assert "2026-03-03 received eur: 1 (4900) → 1 (4800)" in post.outbox[-1].body

    def test_does_not_take_for_wrong_what_is_marked(self, registration):
        pay(registration)

        assert list(compare_all(heal=False, at=later(hours=1)))
        assert check_figures(at=later(hours=1)) == []
