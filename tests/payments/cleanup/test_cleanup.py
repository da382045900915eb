"""The clean-up as a whole: every order whose time is over, once, by any number of workers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import structlog
from django.db import connection, transaction

from payments.checkout.open_checkout import open_checkout
from payments.cleanup.cleanup import Decision, Summary, Verdict, clean_up, clean_up_order
from payments.effects.models import Effect
from payments.orders.models import Order, OrderChange
from payments.statuses import OrderStatus
from payments.stripe_api import lookups
from payments.stripe_api.lookups import ThrottledStripe
from registrations.models import Registration
from tests.support.fake_gateway import unavailable
from tests.support.road import NOON

SOON = NOON + timedelta(minutes=30)
LATER = NOON + timedelta(minutes=32)


def run(*, at: datetime = LATER, **more) -> Summary:
    return clean_up(at=at, stripe=ThrottledStripe(calls_per_second=10_000), **more)


def settle(order: Order, *, at: datetime = LATER, **more) -> Decision:
    return clean_up_order(order_id=order.pk, at=at, stripe=ThrottledStripe(calls_per_second=10_000), **more)


def state_of(order: Order) -> tuple[str, bool]:
    return Registration.objects.values_list("order__status", "holds_place").get(order=order)


@pytest.mark.usefixtures("db")
class TestCleanUp:
    @pytest.fixture
    def orders(self, make_registration):
        return [make_registration(f"Buyer {number}").order for number in range(5)]

    def test_settles_every_order_whose_time_is_over(self, stripe, orders, activity):
        open_checkout(order_id=orders[0].pk, at=NOON)
        stripe.is_paid("cs_test_1")
        open_checkout(order_id=orders[1].pk, at=SOON)

        summary = run()

        activity.refresh_from_db()
        assert summary.counts == {"found": 4, "cleaned": 3, "confirmed": 1, "kept": 0, "errors": 0}
        assert activity.places_taken == 2

    def test_finds_nothing_the_second_time(self, stripe, orders):
        run()

        assert run().counts["found"] == 0

    def test_begins_with_the_oldest_and_ends_at_the_limit(self, stripe, orders):
        for minutes, order in enumerate(reversed(orders)):
            order.checkouts.update(expires_at=NOON + timedelta(minutes=minutes))

        summary = run(limit=2)

        assert {decision.order_id for decision in summary.decisions} == {orders[-1].pk, orders[-2].pk}

    def test_goes_through_more_than_one_batch(self, stripe, orders, monkeypatch):
        monkeypatch.setattr("payments.cleanup.cleanup.BATCH_SIZE", 2)

        assert run().counts["cleaned"] == 5

    def test_stops_early_when_stripe_is_down(self, stripe, orders):
        for order in orders:
            open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles["retrieve"] = unavailable()

        summary = run()

        assert (summary.is_cut_short, summary.counts["kept"], stripe.calls["retrieve"]) == (True, 3, 3)

    def test_goes_on_when_one_order_fails(self, stripe, orders):
        for order in orders:
            open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_3", status="from another planet")

        with structlog.testing.capture_logs() as logs:
            summary = run()

        assert (summary.counts["errors"], summary.counts["cleaned"]) == (1, 4)
        assert [line["order"] for line in logs if line["log_level"] == "error"] == [orders[2].pk]
        assert state_of(orders[2]) == ("PENDING", True)

    def test_says_what_it_found_and_did(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)

        with structlog.testing.capture_logs() as logs:
            run()

        lines = {line["event"]: line for line in logs if line["event"].startswith("cleanup.")}
        assert list(lines) == ["cleanup.started", "cleanup.order", "cleanup.done"]
        assert (
            lines["cleanup.order"].items()
            >= {"order": order.pk, "decision": "closed", "answer": "open, unpaid"}.items()
        )
        assert lines["cleanup.done"].items() >= {"found": 1, "cleaned": 1, "confirmed": 0, "kept": 0}.items()

    def test_changes_nothing_in_a_dry_run(self, stripe, orders):
        for order in orders[:2]:
            open_checkout(order_id=order.pk, at=NOON)
        stripe.is_paid("cs_test_2")
        changes, effects = OrderChange.objects.count(), Effect.objects.count()

        summary = run(dry_run=True)

        assert summary.counts == {"found": 5, "cleaned": 4, "confirmed": 1, "kept": 0, "errors": 0}
        assert (OrderChange.objects.count(), Effect.objects.count()) == (changes, effects)
        assert {state_of(order) for order in orders} == {("PENDING", True)}
        assert (stripe.sessions["cs_test_1"]["status"], stripe.calls["expire"]) == ("open", 0)

    def test_asks_ten_times_a_second_at_most(self, stripe, orders, monkeypatch):
        clock = [0.0]
        monkeypatch.setattr(lookups.time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(lookups.time, "sleep", lambda seconds: clock.append(clock.pop() + seconds))
        for order in orders:
            open_checkout(order_id=order.pk, at=NOON)

        clean_up(at=LATER)

        calls = stripe.calls["retrieve"] + stripe.calls["expire"]
        assert (calls, round(clock[0], 3)) == (10, 0.9)


@pytest.mark.django_db(transaction=True)
class TestCleanUpTwiceAtOnce:
    def test_does_everything_once(self, stripe, make_registration, activity):
        rows = [make_registration(f"Buyer {number}") for number in range(8)]
        for row in rows[:6]:
            open_checkout(order_id=row.order_id, at=NOON)
        for number in (1, 2):
            stripe.is_paid(f"cs_test_{number}")
        together = threading.Barrier(3)

        def work(_number: int) -> Summary:
            try:
                together.wait(timeout=10)
                return run()
            finally:
                connection.close()

        with ThreadPoolExecutor(3) as pool:
            summaries = list(pool.map(work, range(3)))

        activity.refresh_from_db()
        assert sum(summary.count(Verdict.CONFIRMED) for summary in summaries) == 2
        assert sum(summary.count(Verdict.CLOSED) for summary in summaries) == 6
        assert sum(summary.count(Verdict.ERROR) for summary in summaries) == 0
        assert activity.places_taken == 2
        assert Effect.objects.count() == OrderChange.objects.filter(field="status").count() == 8
        assert OrderChange.objects.filter(field="clean-up").count() == 8

    def test_skips_an_order_that_somebody_else_is_changing(self, stripe, order):
        locked, done = threading.Event(), threading.Event()

        def change() -> None:
            with transaction.atomic():
                Order.objects.select_for_update(no_key=True).get(pk=order.pk)
                locked.set()
                done.wait(timeout=10)
            connection.close()

        rival = threading.Thread(target=change)
        rival.start()
        assert locked.wait(timeout=10)
        decision = settle(order)
        done.set()
        rival.join()

        assert (decision.verdict, state_of(order)) == (Verdict.SKIPPED, (OrderStatus.PENDING, True))
