import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import OrderStatus
from registrations.models import Activity, Registration, WaitingEntry
from registrations.services.begin import Begun, begin, confirm_free
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed
from tests.support.road import NOON, event_of, hear

CAMILLE = {"name": "Camille Martin", "email": "camille@example.com", "language": "fr"}
ALEX = {"name": "Alex Smith", "email": "alex@example.com", "language": "en"}


def begun_by(person, activity: Activity, *, at=NOON) -> Begun:
    return begin(activity=activity, at=at, **person)


def places(activity: Activity) -> tuple[int, int]:
    """The counter, and the registrations that hold a place."""
    activity.refresh_from_db()
    return activity.places_taken, activity.registrations.filter(holds_place=True).count()


class TestBegin:
    def test_holds_a_place_and_waits_for_payment(self, activity):
        begun = begun_by(CAMILLE, activity)

        row = begun.registration
        assert (row.holds_place, row.order.status, begun.is_resumed) == (True, OrderStatus.PENDING, False)
        assert places(activity) == (1, 1)

    @pytest.mark.parametrize(
        "again", [CAMILLE, {**CAMILLE, "name": "CAMILLE MARTIN"}, {**CAMILLE, "email": "Camille@Example.com"}]
    )
    def test_resumes_what_the_same_person_has_begun(self, activity, again):
        first = begun_by(CAMILLE, activity)

        second = begun_by(again, activity)

        assert second == Begun(first.registration, is_resumed=True)
        assert places(activity) == (1, 1)

    @pytest.mark.parametrize("event", ["payment_intent.payment_failed", "payment_intent.requires_action"])
    def test_resumes_after_a_try_that_brought_nothing(self, activity, event):
        first = begun_by(CAMILLE, activity)
        hear(event_of(first.registration, event))

        assert begun_by(CAMILLE, activity).is_resumed

    @pytest.mark.parametrize("different", [{"name": "Inès Martin"}, {"email": "ines@example.com"}])
    def test_gives_another_person_a_place_of_their_own(self, activity, different):
        begun_by(CAMILLE, activity)

        assert not begun_by({**CAMILLE, **different}, activity).is_resumed
        assert places(activity) == (2, 2)

    def test_begins_anew_after_the_old_one_has_expired(self, activity):
        first = begun_by(CAMILLE, activity)
        hear(event_of(first.registration, "checkout.session.expired"))

        second = begun_by(CAMILLE, activity)

        assert (second.is_resumed, second.registration == first.registration) == (False, False)
        assert places(activity) == (1, 1)

    def test_refuses_who_has_paid(self, activity):
        first = begun_by(CAMILLE, activity)
        hear(event_of(first.registration, "checkout.session.completed"))

        with pytest.raises(AlreadyRegistered):
            begun_by(CAMILLE, activity)

    def test_refuses_who_has_paid_and_waits_for_a_place(self, make_activity):
        tiny = make_activity(slug="tiny", capacity=1)
        first = begun_by(CAMILLE, tiny).registration
        hear(event_of(first, "checkout.session.expired"))
        begun_by(ALEX, tiny)
        hear(event_of(first, "checkout.session.completed"))

        with pytest.raises(AlreadyRegistered):
            begun_by(CAMILLE, tiny)


class TestBeginRefuses:
    def test_a_full_activity_and_leaves_nothing_behind(self, make_activity):
        tiny = make_activity(slug="tiny", capacity=1)
        begun_by(ALEX, tiny)

        with pytest.raises(ActivityFull):
            begun_by(CAMILLE, tiny)

        assert Registration.objects.count() == Order.objects.count() == 1

    def test_to_overtake_people_on_the_waiting_list(self, activity):
        WaitingEntry.objects.create(activity=activity, created_at=NOON, **ALEX)

        with pytest.raises(ActivityFull):
            begun_by(CAMILLE, activity)

    def test_nobody_whose_place_is_held_because_others_wait(self, activity):
        begun_by(CAMILLE, activity)
        WaitingEntry.objects.create(activity=activity, created_at=NOON, **ALEX)

        assert begun_by(CAMILLE, activity).is_resumed

    @pytest.mark.parametrize(
        "change", [{"is_on_sale": False}, {"starts_at": NOON}, {"called_off_at": NOON - timedelta(days=1)}]
    )
    def test_what_is_not_on_sale_even_to_who_has_begun(self, activity, change):
        begun_by(CAMILLE, activity)
        Activity.objects.filter(pk=activity.pk).update(**change)
        activity.refresh_from_db()

        for person in (CAMILLE, ALEX):
            with pytest.raises(SalesClosed):
                begun_by(person, activity)


class TestFreeActivity:
    @pytest.fixture
    def free(self, make_activity):
        return make_activity(slug="open-day", price=0)

    def test_is_confirmed_at_once_and_says_so(self, free):
        row = begun_by(CAMILLE, free).registration

        assert (row.status, row.order.status, row.holds_place) == ("PAID", OrderStatus.PAID, True)
        assert Effect.objects.get(order_id=row.order_id).kind == "registration.confirmed"
        assert row.order.changes.get(field="status").after == OrderStatus.PAID

    def test_is_not_confirmed_twice(self, free):
        begun_by(CAMILLE, free)

        with pytest.raises(AlreadyRegistered):
            begun_by(CAMILLE, free)

    def test_can_be_confirmed_later_where_a_place_was_offered(self, free, make_registration):
        offered = make_registration(of=free)

        assert confirm_free(registration=offered, at=NOON)
        assert not confirm_free(registration=offered, at=NOON)
        assert (offered.status, offered.order.status) == ("PAID", OrderStatus.PAID)

    def test_is_nothing_that_costs_money(self, registration):
        assert not confirm_free(registration=registration, at=NOON)
        assert registration.order.status == OrderStatus.PENDING


@pytest.mark.django_db(transaction=True)
class TestBeginTwiceAtOnce:
    def test_makes_one_registration(self, activity):
        together = threading.Barrier(4)

        def click(_number: int) -> Begun:
            try:
                together.wait(timeout=10)
                return begun_by(CAMILLE, activity)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            begun = list(pool.map(click, range(4)))

        assert len({each.registration.pk for each in begun}) == 1
        assert sorted(each.is_resumed for each in begun) == [False, True, True, True]
        assert places(activity) == (1, 1)
