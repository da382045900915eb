"""Places (docs/adr/0004-places.md): held = counter ≤ capacity, and nobody who paid waits while one is free."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from payments.effects.models import Effect
from payments.orders.models import OrderException
from registrations.models import Activity, Registration
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed, register
from registrations.services.waiting_list import seat_waiting
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db

COMPLETED, EXPIRED = "checkout.session.completed", "checkout.session.expired"


def state(row: Registration) -> tuple[str, bool]:
    row.refresh_from_db()
    return row.status, row.holds_place


def places(activity: Activity) -> tuple[int, int]:
    activity.refresh_from_db()
    return activity.places_taken, activity.registrations.filter(holds_place=True).count()


@pytest.fixture
def tiny(make_activity) -> Activity:
    return make_activity(slug="tiny", capacity=1)


@pytest.fixture
def late(tiny, make_registration) -> Registration:
    """Their session expired and somebody else has the place."""
    row = make_registration("Late Payer", of=tiny)
    hear(event_of(row, EXPIRED))
    return row


class TestRegister:
    def test_takes_a_place(self, tiny, make_registration):
        row = make_registration(of=tiny)

        assert (state(row), places(tiny)) == (("PENDING", True), (1, 1))

    def test_leaves_nothing_behind_when_the_activity_is_full(self, tiny, make_registration):
        make_registration(of=tiny)

        with pytest.raises(ActivityFull):
            make_registration("Alex Smith", of=tiny)

        assert Registration.objects.count() == 1

    def test_is_refused_when_sales_are_closed(self, make_activity, make_registration):
        with pytest.raises(SalesClosed):
            make_registration(of=make_activity(slug="closed", is_on_sale=False))

    def test_gives_one_person_one_place_in_any_spelling(self, activity):
        register(activity=activity, name="Camille", email="c@example.com", language="fr", at=NOON)

        with pytest.raises(AlreadyRegistered):
            register(activity=activity, name="CAMILLE", email="C@Example.com", language="fr", at=NOON)

        assert places(activity) == (1, 1)


class TestFollow:
    def test_keeps_the_place_of_a_declined_payment(self, registration):
        hear(event_of(registration, "payment_intent.payment_failed"))

        assert state(registration) == ("FAILED", True)

    @pytest.mark.parametrize("event_type", [EXPIRED, "payment_intent.canceled"])
    def test_frees_the_place_of_a_closed_order_and_hides_it(self, registration, activity, event_type):
        hear(event_of(registration, event_type))

        assert places(activity) == (0, 0)
        assert not Registration.objects.live().exists()

    def test_frees_the_place_when_all_money_went_back(self, registration, activity):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        assert (state(registration), places(activity)) == (("REFUNDED", False), (0, 0))

    def test_shows_a_dispute_as_failed_and_keeps_the_place(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.created"))

        assert state(registration) == ("FAILED", True)

    def test_frees_the_place_of_a_lost_dispute_and_takes_it_again_when_won(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.closed", status="lost"))
        lost = state(registration)

        hear(event_of(registration, "charge.dispute.closed", status="won"))

        assert (lost, state(registration)) == (("FAILED", False), ("PAID", True))

    def test_takes_a_place_again_for_late_money(self, late, tiny):
        hear(event_of(late, COMPLETED))

        assert (state(late), places(tiny)) == (("PAID", True), (1, 1))


class TestLateMoneyWithoutPlace:
    def test_becomes_a_question_and_another_message(self, late, tiny, make_registration):
        make_registration("Alex Smith", of=tiny)

        hear(event_of(late, COMPLETED))

        assert state(late) == ("PAID", False)
        assert OrderException.objects.get(is_open=True).kind == "NO_PLACE"
        kinds = set(Effect.objects.filter(order_id=late.order_id).values_list("kind", flat=True))
        assert kinds == {"registration.closed", "registration.no_place"}

    def test_gets_the_next_place_that_becomes_free(self, late, tiny, make_registration):
        holder = make_registration("Alex Smith", of=tiny)
        hear(event_of(late, COMPLETED))

        hear(event_of(holder, EXPIRED))

        assert (state(late), places(tiny)) == (("PAID", True), (1, 1))
        assert not OrderException.objects.filter(is_open=True).exists()
        assert Effect.objects.filter(order_id=late.order_id, kind="registration.confirmed").exists()

    def test_is_served_by_the_oldest_payment(self, tiny, make_registration):
        waiting = []
        for number, name in enumerate(("Second Payer", "First Payer")):
            row = make_registration(name, of=tiny)
            hear(event_of(row, EXPIRED))
            waiting.append((row, NOON + timedelta(minutes=10 - number)))
        holder = make_registration("Alex Smith", of=tiny)
        for row, paid_at in waiting:
            hear(event_of(row, COMPLETED, at=paid_at))

        hear(event_of(holder, EXPIRED))

        assert [state(row)[1] for row, _ in waiting] == [False, True]

    def test_finds_the_place_that_the_same_batch_frees(self, late, tiny, make_registration):
        holder = make_registration("Alex Smith", of=tiny)

        hear(event_of(late, COMPLETED), event_of(holder, EXPIRED))

        assert (state(late), places(tiny)) == (("PAID", True), (1, 1))

    def test_does_not_buy_a_second_place_for_the_same_person(self, activity, make_registration):
        first = make_registration()
        hear(event_of(first, EXPIRED))
        again = make_registration()

        hear(event_of(first, COMPLETED), event_of(again, COMPLETED))

        assert (state(first), state(again), places(activity)) == (("PAID", False), ("PAID", True), (1, 1))

    def test_is_seated_when_the_persons_other_registration_ends(self, activity, make_registration):
        first = make_registration()
        hear(event_of(first, EXPIRED))
        again = make_registration()
        hear(event_of(first, COMPLETED))

        hear(event_of(again, EXPIRED))

        assert (state(first), state(again), places(activity)) == (("PAID", True), ("EXPIRED", False), (1, 1))


class TestSeatWaiting:
    def test_gives_added_places_to_who_paid_first(self, late, tiny, make_registration):
        make_registration("Alex Smith", of=tiny)
        hear(event_of(late, COMPLETED))
        Activity.objects.filter(pk=tiny.pk).update(capacity=2)

        seated = seat_waiting(at=NOON)

        assert (seated, state(late), places(tiny)) == (1, ("PAID", True), (2, 2))
        assert not OrderException.objects.filter(is_open=True).exists()
        assert Effect.objects.filter(order_id=late.order_id, kind="registration.confirmed").exists()

    def test_does_nothing_while_all_places_are_taken(self, late, tiny, make_registration):
        make_registration("Alex Smith", of=tiny)
        hear(event_of(late, COMPLETED))

        assert seat_waiting(at=NOON) == 0


class TestActivity:
    def test_cannot_hold_more_than_its_capacity(self, tiny):
        with pytest.raises(IntegrityError, match="activity_never_oversold"):
            Activity.objects.filter(pk=tiny.pk).update(places_taken=2)
