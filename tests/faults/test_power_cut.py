"""Power cuts while payments are processed: every payment ends paid with a place, no message is noted twice."""

import pytest

from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderChange
from payments.statuses import EventStatus
from registrations.models import Registration
from tests.support.deep import so_many
from tests.support.processes import running_worker, wait_until
from tests.support.road import event_of, keep

PEOPLE = so_many(150, deep=400)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestPowerCut:
    def test_loses_no_payment_and_counts_none_twice(self, tmp_path, make_activity, make_registration):
        activity = make_activity(slug="crowd", capacity=PEOPLE)
        people = [make_registration(f"Person {number}", of=activity) for number in range(PEOPLE)]
        for event_type in ("checkout.session.completed", "payment_intent.succeeded"):
            keep(*[event_of(person, event_type) for person in people])
        done = PaymentEvent.objects.filter(status=EventStatus.PROCESSED)
        for _cut in range(2):
            before = done.count()
            with running_worker(tmp_path) as victim:
                wait_until(lambda before=before: done.count() > before, or_show=lambda: victim.output)
                victim.kill()
        assert done.count() < 2 * PEOPLE

        with running_worker(tmp_path) as worker:
            wait_until(lambda: done.count() == 2 * PEOPLE, or_show=lambda: worker.output)

        assert set(Order.objects.values_list("status", "amount_received")) == {("PAID", 4900)}
        assert OrderChange.objects.filter(field="status").count() == PEOPLE
        activity.refresh_from_db()
        assert Registration.objects.filter(holds_place=True, status="PAID").count() == activity.places_taken == PEOPLE
        assert Effect.objects.filter(kind="registration.confirmed").count() == PEOPLE
