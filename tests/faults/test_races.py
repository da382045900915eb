"""Many at once, on real connections: the last place, the same event, workers side by side."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.orders.models import Order, OrderChange
from payments.processing.drain import drain
from registrations.models import Activity, Registration
from registrations.services.register import ActivityFull, register
from tests.support.road import NOON, event_of, keep

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOON + timedelta(hours=1)


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run the jobs in threads that start together, each with its own connection. Returns results or errors."""
    gate = threading.Barrier(len(jobs))
    results: list[object] = [None] * len(jobs)

    def run(number: int, job: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[number] = job()
        except Exception as error:  # noqa: BLE001 - the caller looks at every result
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, job)) for number, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def check_places(activity: Activity) -> int:
    activity.refresh_from_db()
    held = activity.registrations.filter(holds_place=True).count()
    assert held == activity.places_taken <= activity.capacity
    return held


def drained_by(workers: int) -> None:
    errors = [result for result in at_once(*[lambda: drain(at=LATER)] * workers) if isinstance(result, Exception)]
    assert errors == []


class TestLastPlace:
    @pytest.mark.parametrize("capacity", [1, 20])
    def test_goes_to_exactly_as_many_buyers_as_there_are_places(self, make_activity, capacity):
        activity = make_activity(slug="last", capacity=capacity)

        def buy(number: int) -> Registration:
            email = f"b{number}@example.com"
            return register(activity=activity, name=f"B{number}", email=email, language="fr", at=NOON)

        results = at_once(*[lambda number=number: buy(number) for number in range(64)])

        assert sum(isinstance(result, Registration) for result in results) == capacity
        assert sum(isinstance(result, ActivityFull) for result in results) == 64 - capacity
        assert check_places(activity) == capacity
        assert Order.objects.count() == capacity

    @pytest.mark.parametrize("capacity", [1, 20])
    def test_goes_to_late_money_once_with_four_workers(self, make_activity, make_registration, capacity, settings):
        settings.DRAIN_BATCH_SIZE = 5
        activity = make_activity(slug="late", capacity=64)
        people = [make_registration(f"Person {number}", of=activity) for number in range(64)]
        keep(*[event_of(person, "checkout.session.expired") for person in people])
        drain(at=LATER)
        Activity.objects.filter(pk=activity.pk).update(capacity=capacity)
        keep(*[event_of(person, "checkout.session.completed") for person in people])

        drained_by(4)

        assert check_places(activity) == capacity
        assert Registration.objects.filter(waits_since__isnull=False).count() == 64 - capacity
        assert Order.objects.filter(status="PAID").count() == 64


class TestComingAndGoing:
    def test_leaves_no_paid_order_waiting_while_a_place_is_free(self, make_activity, make_registration, settings):
        settings.DRAIN_BATCH_SIZE = 3
        activity = make_activity(slug="doors", capacity=30)
        late = [make_registration(f"Late {number}", of=activity) for number in range(30)]
        keep(*[event_of(person, "checkout.session.expired") for person in late])
        drain(at=LATER)
        holders = [make_registration(f"Holder {number}", of=activity) for number in range(30)]
        events = [event_of(person, "checkout.session.completed") for person in late]
        events += [event_of(person, "checkout.session.expired") for person in holders]
        random.Random(7).shuffle(events)
        keep(*events)

        drained_by(4)

        assert check_places(activity) == 30
        assert not Registration.objects.filter(waits_since__isnull=False).exists()


class TestWorkersSideBySide:
    def test_apply_each_event_once_and_agree(self, make_activity, make_registration, settings):
        settings.DRAIN_BATCH_SIZE = 4
        activity = make_activity(slug="busy", capacity=20)
        people = [make_registration(f"Person {number}", of=activity) for number in range(20)]
        types = (
            "checkout.session.completed",
            "payment_intent.succeeded",
            "payment_intent.payment_failed",
            "refund.created",
        )
        events = [event_of(person, event_type, **part(event_type)) for person in people for event_type in types]
        random.Random(1).shuffle(events)
        keep(*events)

        drained_by(4)
        drain(at=LATER)

        assert set(PaymentEvent.objects.values_list("status", flat=True)) == {"PROCESSED"}
        assert set(Order.objects.values_list("status", "amount_received", "amount_refunded")) == {("PAID", 4900, 900)}
        assert OrderChange.objects.filter(field="status", after="PAID").count() == 20
        assert Effect.objects.filter(kind="registration.confirmed").count() == 20

    def test_never_process_one_event_twice_at_the_same_time(self, registration):
        keep(event_of(registration, "checkout.session.completed"))

        drained_by(8)

        assert EventAttempt.objects.count() == 1

    def test_find_each_other_when_a_refund_and_its_payment_arrive_together(
        self, make_activity, make_registration, settings
    ):
        settings.DRAIN_BATCH_SIZE = 1
        activity = make_activity(slug="pairs", capacity=25)
        for number in range(25):
            person = make_registration(f"Person {number}", of=activity)
            keep(event_of(person, "refund.created"), event_of(person, "checkout.session.completed"))
            drained_by(2)
            drain(at=LATER)

        assert set(Order.objects.values_list("status", flat=True)) == {"REFUNDED"}


def part(event_type: str) -> dict[str, int]:
    """A partial refund; everything else in full."""
    return {"amount": 900} if event_type == "refund.created" else {}
