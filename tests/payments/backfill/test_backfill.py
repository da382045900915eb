from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from payments.backfill import backfill as module
from payments.backfill.backfill import AlreadyRunning, BackfillOptions
from payments.backfill.models import BackfillMark, BackfillRun, BackfillState
from payments.handlers.registry import handled_types
from payments.ledger.models import FOREIGN_SITE, PaymentEvent
from payments.ledger.read_event import WRONG_LIVEMODE
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.stripe_api import lookups
from payments.stripe_api.gateway import GatewayUnavailable, KeyRefused, RateLimited
from payments.tasks import backfill_job
from stripe_emulator.models import Delivery, Event
from tests.payments.backfill.conftest import NOW
from tests.support.deep import so_many
from tests.support.factories import ActivityFactory, OrderFactory, RegistrationFactory
from tests.support.resync import sold
from tests.support.road import keep
from tests.support.subscriber import emulate

PAYMENTS = so_many(40, deep=500)
DAY = timedelta(days=1)


@pytest.fixture
def answers(monkeypatch):
    """`answers(trouble)`: from now on Stripe answers with it, and after so many pages in order."""

    def answers(trouble, *, after=0):
        real, asked = lookups._page, []

        def page(what, params):
            asked.append(params)
            if len(asked) > after:
                raise trouble
            return real(what, params)

        monkeypatch.setattr(lookups, "_page", page)
        return asked

    return answers


def mark():
    return BackfillMark.objects.get()


def ids_of(run):
    return [each["id"] for each in run.events]


class TestDroppedDeliveries:
    def test_are_found_applied_and_reported(self, emulated, walk, monkeypatch):
        """The endpoint is there, and each of its deliveries is lost on the way."""
        stripe = emulate(monkeypatch)
        stripe.webhook_endpoints.create({"url": "https://shop.example/stripe/webhooks", "enabled_events": ["*"]})
        activity = ActivityFactory.create(capacity=PAYMENTS)
        for registration in RegistrationFactory.create_batch(PAYMENTS, activity=activity):
            sold(registration).pay()
        Delivery.objects.update(state="dropped")
        emulated.shift(timedelta(minutes=10))

        run = walk(later=timedelta(minutes=10))
        drain()
        again = walk(later=timedelta(minutes=20))

        assert set(Order.objects.values_list("status", flat=True)) == {"PAID"}
        assert run.gap == run.missing == PaymentEvent.objects.filter(source="backfill").count() >= PAYMENTS
        assert {each["type"] for each in run.events} >= {"checkout.session.completed", "payment_intent.succeeded"}
        assert (again.missing, again.finished, again.seen) == (0, True, run.seen)
        assert again.sentence.startswith("Complete up to ")
        assert again.sentence.endswith(", 0 missing.")


class TestTakingIn:
    def test_knows_what_a_delivery_has_brought(self, walk, happen):
        delivered, lost = happen(), happen()
        keep(*[lookups.look_up_event(delivered).raw])

        run = walk()

        assert (run.seen, ids_of(run)) == (2, [lost])

    def test_keeps_an_event_as_a_delivery_of_it_would_be_kept(self, walk, registration, client):
        sold(registration).pay()

        walk()

        row = PaymentEvent.objects.get(type="payment_intent.succeeded")
        assert "client_secret" not in row.payload["data"]["object"]
        assert f"order:{registration.order.public_id}" in row.mentions
        assert (row.source, row.status, row.livemode) == ("backfill", "RECEIVED", False)
        assert len(row.body_sha256) == 64

    def test_records_the_oldest_first(self, walk, happen):
        made = [happen(ago=ago) for ago in (60, 7000, 600)]

        run = walk()

        assert ids_of(run) == [made[1], made[2], made[0]]
        kept = PaymentEvent.objects.order_by("pk").values_list("stripe_event_id", flat=True)
        assert list(kept) == ids_of(run)

    def test_rings_the_bell_for_it(self, walk, happen, monkeypatch):
        rung = []
        monkeypatch.setattr(module, "ring_on_commit", lambda: rung.append(1))
        walk()
        assert rung == []
        happen()

        walk()

        assert rung == [1]

    def test_leaves_alone_what_another_site_has_sold(self, walk, monkeypatch):
        stripe = emulate(monkeypatch)
        item = {"price_data": {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "x"}}, "quantity": 1}
        stripe.checkout.sessions.create({
            "mode": "payment", "line_items": [item], "success_url": "https://another.example/",
            "metadata": {"site": "another.example", "orderId": str(uuid4())},
        })  # fmt: skip
        stripe.checkout.sessions.expire(stripe.checkout.sessions.list().data[0].id)

        walk()
        drain()

        row = PaymentEvent.objects.get(type="checkout.session.expired")
        assert (row.source, row.status, row.ignored_reason) == ("backfill", "IGNORED", FOREIGN_SITE)

    def test_keeps_what_is_of_another_mode_as_ignored(self, walk, happen, settings):
        happen()
        settings.STRIPE_LIVEMODE = True

        walk()

        assert PaymentEvent.objects.get().ignored_reason == WRONG_LIVEMODE

    def test_tells_a_gap_from_what_may_be_on_its_way(self, walk, happen, registration):
        happen(ago=60)

        run = walk()

        assert (run.missing, run.gap) == (1, 0)
        assert run.sentence.endswith(", 1 missing; none of them was overdue.")

        happen(ago=600)
        assert walk().gap == 1

    def test_calls_nothing_a_gap_that_was_before_the_first_order(self, walk, happen):
        """A new site in an old account finds a month of what others have sold there."""
        before, after = happen(ago=5000), happen(ago=3000)
        OrderFactory.create(created_at=NOW - timedelta(seconds=4000))

        run = walk()

        assert (ids_of(run), run.gap) == ([before, after], 1)

    def test_does_not_stop_at_one_that_cannot_be_read(self, walk, happen):
        unreadable, good = happen(), happen()
        Event.objects.filter(stripe_id=unreadable).update(stripe_id="no_event")

        run = walk()

        assert {each["id"]: each["trouble"] for each in run.events} == {
            "no_event": "`id` must begin with “evt_”.", good: "",
        }  # fmt: skip
        assert PaymentEvent.objects.get().stripe_event_id == good

    def test_does_not_let_one_that_the_database_refuses_stand_in_the_way(self, walk, happen, monkeypatch):
        bad, good = happen(), happen()
        real = module.record_new

        def record(deliveries, **options):
            if any(incoming.id == bad for incoming, _ in deliveries):
                raise module.DataError("no")
            return real(deliveries, **options)

        monkeypatch.setattr(module, "record_new", record)

        run = walk()

        assert {each["id"]: each["trouble"] for each in run.events} == {bad: "DataError", good: ""}
        assert PaymentEvent.objects.get().stripe_event_id == good

    def test_names_no_more_than_a_thousand(self, walk, happen, monkeypatch):
        monkeypatch.setattr(module, "MAX_KEPT_EVENTS", 2)
        made = [happen() for _ in range(3)]

        run = walk()

        assert (run.missing, len(run.events), PaymentEvent.objects.count()) == (3, 2, len(made))

    def test_only_looks_in_a_dry_run(self, walk, happen):
        lost = happen()

        run = walk(dry_run=True)

        assert ids_of(run) == [lost]
        assert not PaymentEvent.objects.exists()
        assert not BackfillMark.objects.exists()


class TestMark:
    def test_begins_with_all_that_stripe_lists(self, walk, happen):
        happen(ago=29 * 24 * 3600)

        walk()

        assert (mark().complete_from, mark().complete_up_to) == (NOW - 30 * DAY, NOW)
        assert (mark().missing, mark().state) == (1, BackfillState.COMPLETE)
        assert PaymentEvent.objects.count() == 1

    def test_goes_on_an_hour_before_it_has_stopped(self, walk, happen):
        walk()
        late = happen(ago=3500)
        happen(ago=3700)

        run = walk(later=timedelta(seconds=1))

        assert run.since == NOW - timedelta(hours=1)
        assert ids_of(run) == [late], "the other one was walked over when it was not listed: reconcile finds it"

    def test_moves_over_what_was_walked_and_no_further(self, walk, answers, monkeypatch):
        answers(GatewayUnavailable("no answer"), after=4)

        run = walk()

        reached = NOW - 30 * DAY + timedelta(hours=2 + 4)
        assert (run.reached, mark().complete_up_to) == (reached, reached)
        assert (run.finished, run.reason, mark().state) == (False, "no answer", BackfillState.FAILED)
        assert "not finished: no answer" in run.sentence
        monkeypatch.undo()

    def test_goes_on_at_the_next_run_where_the_budget_has_ended(self, walk, happen):
        lost = happen()

        first, second = walk(budget=16), walk(budget=16)

        assert (first.finished, first.requests, first.missing) == (False, 16, 0)
        assert first.reason == module.BUDGET_SPENT
        assert second.since == first.reached - timedelta(hours=1)
        assert (second.finished, mark().complete_up_to, mark().state) == (True, NOW, BackfillState.COMPLETE)
        assert PaymentEvent.objects.get().stripe_event_id == lost

    def test_waits_as_long_as_stripe_asks(self, walk, answers, monkeypatch):
        with monkeypatch.context() as patched:
            asked = []

            def page(what, params):
                asked.append(what)
                raise RateLimited("too many", retry_after=900)

            patched.setattr(lookups, "_page", page)
            run = walk()
            assert walk(later=timedelta(minutes=10)).requests == 0

        assert asked == ["events"]
        assert (run.finished, mark().state) == (False, BackfillState.WAITING)
        assert "the last walk" not in mark().sentence
        assert walk(later=timedelta(minutes=20)).finished
        assert (mark().wait_until, mark().state) == (None, BackfillState.COMPLETE)

    def test_tells_what_stripe_lists_no_more(self, walk):
        walk()

        run = walk(later=40 * DAY)

        assert (run.unlisted_since, run.since) == (NOW, NOW + 10 * DAY)
        assert run.unlisted.endswith("can no longer be listed: reconcile covers what they were about.")
        assert (mark().complete_from, mark().complete_up_to) == (NOW + 10 * DAY, NOW + 40 * DAY)

    def test_is_not_misled_by_a_clock_that_was_ahead(self, walk, happen):
        walk(later=timedelta(hours=5))
        lost = happen()

        run = walk()

        assert (run.since, ids_of(run)) == (NOW - timedelta(hours=1), [lost])

    def test_begins_anew_where_a_new_version_handles_more(self, walk, happen):
        walk()
        BackfillMark.objects.update(types=[each for each in handled_types() if each != "customer.updated"])
        lost = happen(ago=20 * 24 * 3600)

        run = walk(later=DAY)

        assert (run.since, ids_of(run), run.unlisted) == (NOW - 29 * DAY, [lost], "")
        assert walk(later=DAY).since == NOW + DAY - timedelta(hours=1)

    def test_stays_where_it_is_while_nobody_has_walked_the_time_between(self, walk):
        walk(since=NOW - DAY)
        assert mark().complete_up_to is None

        walk(later=DAY)
        walk(later=3 * DAY, since=NOW + 2 * DAY)
        assert mark().complete_up_to == NOW + DAY

        walk(later=3 * DAY, since=NOW)
        assert (mark().complete_from, mark().complete_up_to) == (NOW - 29 * DAY, NOW + 3 * DAY)

    def test_says_what_is_complete_in_one_sentence(self, walk, answers):
        assert BackfillMark.current(at=NOW).sentence == "Stripe’s list of events has not been walked yet."
        walk()
        answers(KeyRefused(code="", message="Stripe does not know the key."))
        walk(later=timedelta(minutes=10))

        assert mark().sentence.startswith("Complete up to 11/30/2026 3:05 p.m., 0 missing; the last walk: ")
        assert mark().last_run_at == NOW + timedelta(minutes=10)


class TestRuns:
    def test_are_one_at_a_time(self, walk, monkeypatch):
        def held(name, *, or_raise):
            raise or_raise

        monkeypatch.setattr(module, "advisory_lock", held)

        with pytest.raises(AlreadyRunning):
            walk()
        backfill_job()

        assert not BackfillRun.objects.exists()

    def test_are_forgotten_after_a_month_unless_something_was_missing(self, walk, happen):
        happen()
        kept = walk()
        empty = walk()

        walk(later=31 * DAY)

        assert set(BackfillRun.objects.filter(pk__in=[kept.pk, empty.pk])) == {kept}

    def test_come_by_the_timetable(self, happen):
        moments = {"complete_from": NOW - DAY, "complete_up_to": NOW - timedelta(minutes=10), "last_run_at": NOW}
        BackfillMark.objects.create(types=handled_types(), **moments)
        lost = happen()

        backfill_job(later=1)

        run = BackfillRun.objects.get()
        assert (run.by, ids_of(run), run.started_at) == ("timetable", [lost], datetime.now(UTC))

    def test_ask_at_the_pace_of_long_runs_and_do_not_wait_out_a_limit(self):
        stripe = BackfillOptions(by="").stripe

        assert (stripe.pause, stripe.patience) == (0.1, 0.0)
