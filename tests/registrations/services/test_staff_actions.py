"""What staff do by hand: who has not paid loses the place, Stripe first; who paid stays; a message goes once more."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail as post
from django.db import connection

from payments.checkout.open_checkout import open_checkout
from payments.cleanup.cleanup import clean_up
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import OrderChange
from registrations.models import Activity, Registration
from registrations.services.call_off import call_off
from registrations.services.register import confirm_address, register_or_resume
from registrations.services.staff_actions import (
    AddressNotCorrected,
    NotResent,
    PlaceNotFreed,
    correct_address,
    free_place,
    resend_message,
)
from registrations.services.waiting_list import offer_places
from tests.support.factories import RegistrationFactory
from tests.support.fake_gateway import unavailable
from tests.support.road import NOON, event_of, hear
from tests.support.stripe_moods import stand_in
from tests.support.waiting_people import wait_for

pytestmark = pytest.mark.django_db

COMPLETED = "checkout.session.completed"
LATER = NOON + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture
def session(registration) -> str:
    """The registration's payment page is open."""
    return open_checkout(order_id=registration.order_id, at=NOON).session


def let_go(row, *, reason="Typed it twice", at=LATER):
    free_place(registration=row, reason=reason, by="boss@example.com", at=at)


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

    @pytest.mark.parametrize("reason", ["", " "])
    def test_needs_a_reason(self, registration, reason):
        with pytest.raises(PlaceNotFreed, match="reason"):
            let_go(registration, reason=reason)

        assert state(registration) == ("PENDING", True, 1)

    def test_refuses_what_is_paid_for(self, registration):
        hear(event_of(registration, COMPLETED))

        with pytest.raises(PlaceNotFreed, match="refund it"):
            let_go(registration)

        assert state(registration) == ("PAID", True, 1)
        assert registration.given_up_at is None
        assert not OrderChange.objects.filter(field="freed").exists()

    def test_refuses_a_payment_under_way(self, registration):
        hear(event_of(registration, COMPLETED, status="unpaid"))

        with pytest.raises(PlaceNotFreed, match="under way"):
            let_go(registration)

        assert state(registration) == ("PROCESSING", True, 1)

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


class TestConfirmedPlaceThatCostNothing:
    def test_is_given_up(self, confirmed):
        let_go(confirmed)

        assert state(confirmed) == ("CANCELED", False, 0)
        assert (confirmed.given_up_at, confirmed.held_until) == (LATER, LATER)

    def test_needs_no_stripe(self, confirmed, gateway):
        let_go(confirmed)

        assert not gateway.calls

    def test_leaves_reason_and_person_in_the_history(self, confirmed):
        let_go(confirmed, reason="She cannot come")

        changes = OrderChange.objects.filter(order=confirmed.order, source="boss@example.com").order_by("field")
        assert [(change.field, change.before, change.after) for change in changes] == [
            ("freed", "", "She cannot come"),
            ("place", "held", "free"),
        ]

    def test_goes_to_who_was_confirmed_and_waits(self, confirmed):
        waiting = RegistrationFactory(
            activity=confirmed.activity, order__status="PAID", holds_place=False, waits_since=NOON
        )

        let_go(confirmed)

        assert state(waiting) == ("PAID", True, 1)
        assert state(confirmed) == ("CANCELED", False, 1)

    def test_is_offered_to_the_waiting_list(self, confirmed):
        [entry] = wait_for(confirmed.activity, "Zoë Martin")

        let_go(confirmed)

        assert offer_places(at=LATER) == 1
        entry.refresh_from_db()
        assert entry.offered.holds_place

    def test_can_be_taken_again_by_the_same_person(self, given_up):
        person = {"name": given_up.name, "email": given_up.email, "language": "en"}

        again = register_or_resume(activity=given_up.activity, at=LATER, **person)
        confirm_address(registration=again.registration, at=LATER)

        assert (again.is_resumed, state(again.registration)) == (False, ("PAID", True, 1))
        assert again.registration != given_up

    @pytest.mark.parametrize("reason", ["", " "])
    def test_is_kept_without_a_reason(self, confirmed, reason):
        with pytest.raises(PlaceNotFreed, match="reason"):
            let_go(confirmed, reason=reason)

        assert state(confirmed) == ("PAID", True, 1)

    def test_is_not_given_up_twice(self, given_up):
        with pytest.raises(PlaceNotFreed, match="holds no place"):
            let_go(given_up)

        assert state(given_up) == ("CANCELED", False, 0)
        assert given_up.given_up_at == NOON

    def test_stays_while_money_that_came_for_it_is_here(self, confirmed):
        hear(event_of(confirmed, "payment_intent.succeeded", subject={"amount": 4900}))

        with pytest.raises(PlaceNotFreed, match="refund it"):
            let_go(confirmed)

        assert state(confirmed) == ("PAID", True, 1)
        assert confirmed.given_up_at is None


@pytest.mark.django_db(transaction=True)
class TestTwoPeopleOfStaffAtOnce:
    def test_free_one_place_once(self, confirmed):
        together = threading.Barrier(2)

        def click(_number: int) -> bool:
            try:
                together.wait(timeout=10)
                let_go(Registration.objects.get(pk=confirmed.pk))
            except PlaceNotFreed:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(2) as pool:
            done = sorted(pool.map(click, range(2)))

        assert (done, state(confirmed)) == ([False, True], ("CANCELED", False, 0))
        assert OrderChange.objects.filter(field="freed").count() == 1


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


THREE_HOURS_LATER = NOON + timedelta(hours=3)


def send_again(row, *, reason="Never arrived"):
    resend_message(registration=row, reason=reason, by="boss@example.com", at=THREE_HOURS_LATER)


def deliver():
    deliver_due(at=THREE_HOURS_LATER, limit=50)
    return [mail.subject for mail in post.outbox]


@pytest.fixture
def paid(make_registration) -> Registration:
    """Confirmed, and told so."""
    row = make_registration(language="en")
    hear(event_of(row, COMPLETED))
    deliver()
    return row


class TestResendMessage:
    def test_sends_the_same_mail_once_more(self, paid):
        send_again(paid)

        assert deliver() == ["Your place is confirmed: Pottery"] * 2

    def test_sends_the_link_again_where_the_address_is_not_confirmed(self, make_activity):
        person = {"name": "Zoë Martin", "email": "zoe@example.com", "language": "en"}
        row = register_or_resume(activity=make_activity(slug="open-day", price=0), at=NOON, **person).registration

        deliver()
        send_again(row)

        assert deliver() == ["Please confirm your registration: Open-Day"] * 2

    def test_sends_one_for_each_request(self, paid):
        for _request in range(2):
            send_again(paid)
            deliver()

        keys = list(Effect.objects.order_by("pk").values_list("key", flat=True))
        number = paid.order_id
        assert keys == [
            f"registration.confirmed:{number}",
            f"registration.confirmed:{number}:again:1",
            f"registration.confirmed:{number}:again:2",
        ]
        assert len(post.outbox) == 3

    def test_sends_one_for_a_double_click(self, paid):
        send_again(paid)

        with pytest.raises(NotResent, match="about to be sent"):
            send_again(paid)

        assert len(deliver()) == 2

    def test_keeps_why_and_who(self, paid):
        send_again(paid)

        effect = Effect.objects.get(key__contains=":again:")
        assert (effect.data["reason"], effect.data["by"]) == ("Never arrived", "boss@example.com")
        change = OrderChange.objects.get(order=paid.order, field="message")
        assert (change.after, change.source) == ("Never arrived", "boss@example.com")

    def test_tells_the_state_as_it_is_now(self, paid):
        hear(event_of(paid, "charge.refunded"))
        deliver()
        post.outbox.clear()

        send_again(paid)

        assert deliver() == ["Your refund: Pottery"]

    def test_does_not_wait_for_patience_again(self, make_registration):
        row = make_registration(language="en")
        hear(event_of(row, "payment_intent.requires_action"))
        deliver()
        post.outbox.clear()

        send_again(row)

        assert deliver() == ["Please confirm your payment: Pottery"]

    def test_repeats_an_offer_while_it_stands(self, make_activity, make_registration):
        tiny = make_activity(slug="tiny", capacity=1)
        make_registration(of=tiny)
        wait_for(tiny, "Zoë Martin")
        Activity.objects.filter(pk=tiny.pk).update(capacity=2)
        offer_places(at=THREE_HOURS_LATER)
        deliver()

        send_again(Registration.objects.get(waited__isnull=False))

        assert deliver() == ["A place is free for you: Tiny"] * 2

    def test_repeats_that_the_activity_is_called_off(self, paid, activity):
        Effect.objects.filter(kind="refund").delete()
        call_off(activity=activity, reason="The teacher is ill.", by="boss", at=THREE_HOURS_LATER)
        deliver()
        post.outbox.clear()

        send_again(paid)

        assert deliver() == ["Called off: Pottery"]

    @pytest.mark.parametrize("is_called_off", [False, True])
    def test_repeats_to_who_gave_up_a_place_that_it_is_released(self, given_up, is_called_off):
        deliver()
        post.outbox.clear()
        if is_called_off:
            call_off(activity=given_up.activity, reason="The teacher is ill.", by="boss", at=THREE_HOURS_LATER)

        send_again(given_up)

        assert deliver() == ["Your place has been released: Open-Day"]

    def test_has_nothing_to_tell_who_has_just_registered(self, registration):
        with pytest.raises(NotResent, match="nothing to tell"):
            send_again(registration)

        assert not Effect.objects.exists()

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_needs_a_reason(self, paid, reason):
        with pytest.raises(NotResent, match="reason"):
            send_again(paid, reason=reason)

        assert len(deliver()) == 1


class TestCorrectAddress:
    @staticmethod
    def correct(row, email="Camille@Example.org", *, reason="mistyped"):
        correct_address(registration=row, email=email, reason=reason, by="boss@example.com", at=LATER)
        row.refresh_from_db()

    def test_writes_to_the_new_address_from_now_on(self, registration):
        hear(event_of(registration, COMPLETED))
        Effect.objects.exclude(kind="registration.confirmed").delete()

        self.correct(registration)
        deliver_due(at=NOON + timedelta(days=1))

        assert [message.to for message in post.outbox] == [["camille@example.org"]]
        assert (registration.email, registration.order.email) == ("camille@example.org", "camille@example.org")

    def test_keeps_who_did_it_and_why(self, registration):
        self.correct(registration)

        change = OrderChange.objects.get(field="address")
        assert (change.order, change.after, change.source) == (registration.order, "mistyped", "boss@example.com")

    @pytest.mark.parametrize("reason", ["", " "])
    def test_needs_a_reason(self, registration, reason):
        with pytest.raises(AddressNotCorrected):
            self.correct(registration, reason=reason)

    def test_is_refused_for_the_address_that_is_known(self, registration):
        with pytest.raises(AddressNotCorrected):
            self.correct(registration, registration.email.upper())

    def test_makes_no_two_places_of_one_person(self, registration):
        other = RegistrationFactory(activity=registration.activity, name=registration.name.upper())

        with pytest.raises(AddressNotCorrected):
            self.correct(registration, other.email)
