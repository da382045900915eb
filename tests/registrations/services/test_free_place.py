"""Freeing a place by hand: the order is closed with it, Stripe first, and what is paid for is not touched."""

from datetime import timedelta

import pytest

from payments.actions.checkout import open_checkout
from payments.actions.cleanup import clean_up
from payments.orders.models import OrderChange
from registrations.services.begin import settle_free
from registrations.services.free_place import PlaceNotFreed, free_place
from tests.support.fake_gateway import unavailable
from tests.support.road import NOON, event_of, hear
from tests.support.stripe_moods import stand_in

COMPLETED = "checkout.session.completed"
LATER = NOON + timedelta(minutes=2)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture
def session(registration) -> str:
    """The registration's payment page is open."""
    return open_checkout(order_id=registration.order_id, at=NOON).session


def let_go(row, *, because="Typed it twice", at=LATER):
    free_place(registration=row, because=because, by="boss@example.com", at=at)


def state(row):
    row.refresh_from_db()
    row.activity.refresh_from_db()
    return row.status, row.holds_place, row.activity.places_taken


class TestFreePlace:
    def test_closes_the_order_and_keeps_the_row(self, registration):
        let_go(registration)

        assert state(registration) == ("EXPIRED", False, 0)

    def test_ends_the_open_payment_page_first(self, registration, session, gateway):
        let_go(registration)

        assert gateway.sessions[session]["status"] == "expired"
        assert state(registration) == ("EXPIRED", False, 0)

    def test_does_not_wait_a_day_after_a_failure(self, registration):
        hear(event_of(registration, "payment_intent.payment_failed"))

        let_go(registration)

        assert state(registration) == ("CANCELED", False, 0)

    def test_keeps_the_reason_and_the_person(self, registration):
        let_go(registration)

        change = OrderChange.objects.get(order=registration.order, field="freed")
        assert (change.after, change.source) == ("Typed it twice", "boss@example.com")

    def test_lets_the_person_register_again(self, registration, make_registration):
        let_go(registration)

        assert make_registration().holds_place

    @pytest.mark.parametrize("because", ["", " "])
    def test_needs_a_reason(self, registration, because):
        with pytest.raises(PlaceNotFreed, match="reason"):
            let_go(registration, because=because)

        assert state(registration) == ("PENDING", True, 1)

    def test_refuses_what_is_paid_for(self, registration):
        hear(event_of(registration, COMPLETED))

        with pytest.raises(PlaceNotFreed, match="refund it"):
            let_go(registration)

        assert state(registration) == ("PAID", True, 1)
        assert not OrderChange.objects.filter(field="freed").exists()

    def test_refuses_a_payment_under_way(self, registration):
        hear(event_of(registration, COMPLETED, status="unpaid"))

        with pytest.raises(PlaceNotFreed, match="under way"):
            let_go(registration)

        assert state(registration) == ("PROCESSING", True, 1)

    def test_refuses_a_confirmed_place_that_cost_nothing(self, make_activity, make_registration):
        row = make_registration(of=make_activity(slug="free", price=0))
        settle_free(registration=row, at=NOON)

        with pytest.raises(PlaceNotFreed, match="free activity"):
            let_go(row)

        assert state(row) == ("PAID", True, 1)

    def test_refuses_who_holds_no_place(self, registration):
        let_go(registration)

        with pytest.raises(PlaceNotFreed, match="holds no place"):
            let_go(registration)

    def test_is_not_undone_by_a_replay(self, registration, session):
        let_go(registration)

        hear(event_of(registration, "checkout.session.expired", at=LATER, subject={"session": session}))

        assert state(registration) == ("EXPIRED", False, 0)

    def test_is_undone_by_money_alone(self, registration):
        let_go(registration)

        hear(event_of(registration, COMPLETED))

        assert state(registration) == ("PAID", True, 1)


class TestWithoutStripe:
    @pytest.fixture(autouse=True)
    def _away(self, session, gateway):
        gateway.troubles["retrieve"] = unavailable()

    def test_the_place_stays_and_the_reason_is_told(self, registration):
        with pytest.raises(PlaceNotFreed, match="does not answer"):
            let_go(registration)

        assert state(registration) == ("PENDING", True, 1)

    def test_the_clean_up_frees_it_as_soon_as_stripe_answers(self, registration, gateway):
        with pytest.raises(PlaceNotFreed):
            let_go(registration)
        gateway.troubles.clear()

        clean_up(at=LATER)

        assert state(registration) == ("EXPIRED", False, 0)


class TestPaidAtThatMoment:
    def test_is_confirmed_instead(self, registration, session, gateway):
        gateway.before_expire = lambda: gateway.is_paid(session)

        with pytest.raises(PlaceNotFreed, match="A payment has come"):
            let_go(registration)

        assert state(registration) == ("PAID", True, 1)
