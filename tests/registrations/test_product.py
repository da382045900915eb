"""Who gave up a place that cost nothing: the order stays confirmed, and nothing that follows it seats them again."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import IntegrityError

from payments.apply.apply import follow_orders_again
from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, Trigger
from payments.orders.models import Order, OrderException
from payments.processing.drain import drain
from payments.processing.replay import replay_event
from registrations.models import Activity, LateMoney, Registration
from registrations.services.register import confirm_free
from registrations.services.staff_actions import free_place
from registrations.services.waiting_list import seat_waiting
from tests.support.factories import make_staff
from tests.support.road import NOON, event_of, hear

COMPLETED = "checkout.session.completed"
EVENTS = (COMPLETED, "checkout.session.expired", "payment_intent.canceled")
LATER = NOON + timedelta(hours=2)
pytestmark = pytest.mark.django_db


def stands(row: Registration) -> tuple[str, bool, int]:
    """As staff see it: the status, whether it holds a place, and how many of the activity are taken."""
    row.refresh_from_db()
    row.activity.refresh_from_db()
    return row.status, row.holds_place, row.activity.places_taken


def told(row: Registration) -> list[str]:
    return sorted(Effect.objects.filter(order=row.order_id).values_list("kind", flat=True))


class TestWhoGaveUp:
    @pytest.mark.parametrize("cut", range(len(EVENTS) + 1))
    @pytest.mark.parametrize("events", list(permutations(EVENTS)))
    def test_stays_without_a_place_whatever_is_told_before_and_after(self, confirmed, events, cut):
        tellings = [event_of(confirmed, event, at=NOON) for event in events]
        for event in tellings[:cut]:
            hear(event)

        free_place(registration=confirmed, reason="Cannot come", by="boss@example.com", at=LATER)
        for event in [*tellings[cut:], *tellings]:
            hear(event, at=LATER)

        assert stands(confirmed) == ("CANCELED", False, 0)
        assert told(confirmed) == ["registration.confirmed", "registration.given_up"]

    def test_is_not_seated_by_a_replay(self, confirmed):
        [event] = hear(event_of(confirmed, COMPLETED))
        free_place(registration=confirmed, reason="Cannot come", by="boss@example.com", at=LATER)

        replay_event(event=event, by=make_staff(), reason="Let us see", at=LATER)
        drain(at=LATER)

        assert EventAttempt.objects.get(event=event, trigger=Trigger.REPLAY).outcome == "PROCESSED"
        assert stands(confirmed) == ("CANCELED", False, 0)

    def test_is_not_seated_when_the_order_is_followed_again(self, given_up):
        for _time in range(2):
            follow_orders_again([given_up.order_id], source="test", at=LATER)

        assert stands(given_up) == ("CANCELED", False, 0)
        assert told(given_up).count("registration.given_up") == 1

    def test_does_not_wait_for_a_place(self, given_up, make_registration):
        other = make_registration("Alex Smith", of=given_up.activity)
        follow_orders_again([given_up.order_id], source="test", at=LATER)
        given_up.refresh_from_db()
        assert given_up.waits_since is None

        hear(event_of(other, "checkout.session.expired"))

        assert (seat_waiting(at=LATER), stands(given_up)) == (0, ("CANCELED", False, 0))

    def test_cannot_be_made_to_wait(self, given_up):
        with pytest.raises(IntegrityError, match="who_gave_up_does_not_wait"):
            Registration.objects.filter(pk=given_up.pk).update(waits_since=NOON)

    def test_raises_no_question(self, given_up):
        follow_orders_again([given_up.order_id], source="test", at=LATER)

        assert not OrderException.objects.exists()

    def test_leaves_the_order_as_it_is(self, given_up):
        assert Order.objects.get(pk=given_up.order_id).status == "PAID"

    def test_is_seated_as_somebody_who_registers_again(self, given_up, make_registration):
        again = make_registration(of=given_up.activity)
        confirm_free(registration=again, at=LATER)

        follow_orders_again([given_up.order_id, again.order_id], source="test", at=LATER)

        assert stands(again) == ("PAID", True, 1)
        assert stands(given_up) == ("CANCELED", False, 1)


class TestMoneyForWhatCostsNothing:
    """Somebody pays although nothing is due, after the place was given up: staff decide, nobody is seated."""

    @pytest.fixture
    def strayed(self, given_up) -> Registration:
        Activity.objects.update(late_money=LateMoney.REFUND)
        hear(event_of(given_up, "payment_intent.succeeded", subject={"amount": 4900}))
        return given_up

    def test_is_a_question_about_the_amount_and_not_about_a_place(self, strayed):
        assert [question.kind for question in OrderException.objects.filter(is_open=True)] == ["AMOUNT_MISMATCH"]

    def test_seats_nobody_and_does_not_go_back_by_itself(self, strayed):
        assert stands(strayed) == ("CANCELED", False, 0)
        assert not Effect.objects.filter(kind="refund").exists()

    def test_is_told_when_it_has_gone_back(self, strayed):
        hear(event_of(strayed, "charge.refunded", subject={"amount": 4900}))

        assert "registration.refunded" in told(strayed)
        assert stands(strayed) == ("CANCELED", False, 0)
