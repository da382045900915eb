import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail as post
from django.db import connection

from accounts.models import User
from payments.checkout import open_checkout as actions_checkout
from payments.checkout.attempts import OrderNotPayable
from payments.cleanup.cleanup import clean_up
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import OrderStatus
from payments.stripe_api import gateway as real_gateway
from registrations.holds import TooManyHolds
from registrations.models import Activity, Registration, WaitingEntry
from registrations.services.register import (
    ActivityFull,
    AlreadyRegistered,
    CheckoutUnavailable,
    RegisterResult,
    SalesClosed,
    confirm_address,
    confirm_free,
    register_or_resume,
    start_checkout,
)
from registrations.visitors import Visitor
from tests.support.fake_gateway import FakeGateway, refused, unavailable
from tests.support.road import NOON, event_of, hear

THIS_BROWSER, ANOTHER_BROWSER = Visitor(browser="b1", client="c1"), Visitor(browser="b2", client="c2")
CAMILLE = {"name": "Camille Martin", "email": "camille@example.com", "language": "fr"}
ALEX = {"name": "Alex Smith", "email": "alex@example.com", "language": "en"}


def begun_by(person, activity: Activity, *, at=NOON, by: Visitor = THIS_BROWSER) -> RegisterResult:
    return register_or_resume(activity=activity, at=at, visitor=by, **person)


@pytest.fixture
def signed_in(db) -> Visitor:
    """Somebody with an account under Camille's address, who has opened the link in the mail."""
    return Visitor(user=User.objects.create_user(CAMILLE["email"], "secret", email_confirmed_at=NOON))


def places(activity: Activity) -> tuple[int, int]:
    """The counter, and the registrations that hold a place."""
    activity.refresh_from_db()
    return activity.places_taken, activity.registrations.filter(holds_place=True).count()


class TestRegisterOrResume:
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

        assert second == RegisterResult(first.registration, is_resumed=True)
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


class TestRegisterOrResumeRefuses:
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


class TestConfirmAddress:
    def test_gives_the_free_place_and_says_so(self, make_activity):
        row = begun_by(CAMILLE, make_activity(slug="open-day", price=0)).registration

        assert confirm_address(registration=row, at=NOON)

        assert (row.status, row.order.status, row.email_state) == ("PAID", OrderStatus.PAID, "confirmed")
        assert Effect.objects.filter(order_id=row.order_id, kind="registration.confirmed").count() == 1
        assert not confirm_address(registration=row, at=NOON)

    def test_pays_nothing_that_costs_money(self, activity):
        row = begun_by(CAMILLE, activity).registration

        assert not confirm_address(registration=row, at=NOON)
        assert row.order.status == OrderStatus.PENDING


class TestBegunAgain:
    """Knowing a name and an address gives nobody what another has begun."""

    def test_by_another_browser_goes_on_by_mail(self, activity):
        first = begun_by(CAMILLE, activity)

        again = begun_by(CAMILLE, activity, by=ANOTHER_BROWSER)

        assert again == RegisterResult(first.registration, is_resumed=True, is_mailed=True)
        assert Effect.objects.get().kind == "registration.resume"

    def test_without_any_browser_goes_on_by_mail(self, activity):
        begun_by(CAMILLE, activity, by=Visitor())

        assert begun_by(CAMILLE, activity, by=Visitor()).is_mailed

    def test_by_its_signed_in_owner_goes_on_at_once(self, activity, signed_in):
        begun_by(CAMILLE, activity)

        assert not begun_by(CAMILLE, activity, by=signed_in).is_mailed

    def test_by_an_account_whose_address_nobody_has_confirmed_goes_on_by_mail(self, activity):
        begun_by(CAMILLE, activity)
        user = User.objects.create_user(CAMILLE["email"], "secret")

        assert begun_by(CAMILLE, activity, by=Visitor(user=user)).is_mailed


class TestTooManyHolds:
    @pytest.fixture
    def activities(self, make_activity):
        return [make_activity(slug=f"a{number}", price=4900 * (number % 2)) for number in range(4)]

    def test_refuses_a_fourth_unpaid_place_for_one_address_over_all_activities(self, activities):
        *three, fourth = activities
        for each in three:
            begun_by(CAMILLE, each)

        with pytest.raises(TooManyHolds):
            begun_by(CAMILLE, fourth, by=ANOTHER_BROWSER)

        assert places(fourth) == (0, 0)
        assert begun_by(CAMILLE, three[1]).is_resumed

    def test_refuses_more_for_one_client_than_the_setting_says(self, activity, settings):
        settings.HOLDS_PER_CLIENT = 2
        for number in range(2):
            begun_by({**ALEX, "email": f"alex{number}@example.com"}, activity)

        with pytest.raises(TooManyHolds):
            begun_by(CAMILLE, activity)

        assert begun_by(CAMILLE, activity, by=ANOTHER_BROWSER).registration.holds_place

    def test_counts_neither_what_is_paid_nor_what_is_over(self, activities, settings):
        settings.HOLDS_PER_ADDRESS = 1
        paid, over, third = activities[1], activities[3], activities[0]
        hear(event_of(begun_by(CAMILLE, paid).registration, "checkout.session.completed"))
        begun_by(CAMILLE, over)

        begun = begun_by(CAMILLE, third, at=NOON + timedelta(minutes=32))

        assert begun.registration.holds_place


class TestFreeActivity:
    @pytest.fixture
    def free(self, make_activity):
        return make_activity(slug="open-day", price=0)

    def test_is_held_for_half_an_hour_while_a_mail_asks_for_the_address(self, free):
        begun = begun_by(CAMILLE, free)

        row = begun.registration
        assert (row.status, row.holds_place, row.held_until) == ("PENDING", True, NOON + timedelta(minutes=30))
        assert (begun.is_mailed, begun.is_resumed) == (True, False)
        assert [effect.kind for effect in Effect.objects.all()] == ["registration.confirm_address"]

    def test_is_held_as_long_as_the_setting_says(self, free, settings):
        settings.FREE_HOLD_MINUTES = 10

        assert begun_by(CAMILLE, free).registration.held_until == NOON + timedelta(minutes=10)

    def test_is_not_confirmed_by_its_page_alone(self, free):
        row = begun_by(CAMILLE, free).registration

        assert not confirm_free(registration=row, at=NOON)
        assert row.order.status == OrderStatus.PENDING

    def test_is_released_by_the_clean_up_and_nothing_more_is_sent(self, free):
        row = begun_by(CAMILLE, free).registration
        deliver_due(at=NOON)
        post.outbox.clear()

        clean_up(at=NOON + timedelta(minutes=29))
        kept = places(free)
        clean_up(at=NOON + timedelta(minutes=31))
        deliver_due(at=NOON + timedelta(minutes=31))

        assert (kept, places(free)) == ((1, 1), (0, 0))
        assert post.outbox == []
        assert not confirm_address(registration=row, at=NOON + timedelta(minutes=32))

    def test_is_theirs_at_once_who_is_signed_in_under_the_confirmed_address(self, free, signed_in):
        row = begun_by(CAMILLE, free, by=signed_in).registration

        assert (row.status, row.order.status, row.holds_place) == ("PAID", OrderStatus.PAID, True)
        assert Effect.objects.get(order_id=row.order_id).kind == "registration.confirmed"
        assert row.order.changes.get(field="status").after == OrderStatus.PAID

    def test_is_not_confirmed_twice(self, free, signed_in):
        begun_by(CAMILLE, free, by=signed_in)

        with pytest.raises(AlreadyRegistered):
            begun_by(CAMILLE, free)

    def test_asked_for_again_writes_at_most_three_mails_an_hour(self, free):
        for minute in range(5):
            begun_by(CAMILLE, free, at=NOON + timedelta(minutes=minute))

        assert Effect.objects.filter(kind="registration.confirm_address").count() == 3
        assert places(free) == (1, 1)

    def test_can_be_confirmed_later_where_a_place_was_offered(self, free, make_registration):
        offered = make_registration(of=free)

        assert confirm_free(registration=offered, at=NOON)
        assert not confirm_free(registration=offered, at=NOON)
        assert (offered.status, offered.order.status) == ("PAID", OrderStatus.PAID)

    def test_is_nothing_that_costs_money(self, registration):
        assert not confirm_free(registration=registration, at=NOON)
        assert registration.order.status == OrderStatus.PENDING


@pytest.mark.django_db(transaction=True)
class TestRegisterOrResumeTwiceAtOnce:
    def test_makes_one_registration(self, activity):
        together = threading.Barrier(4)

        def click(_number: int) -> RegisterResult:
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


@pytest.fixture
def gateway(monkeypatch):
    """Stands where the real gateway does, for opening Checkout and for closing orders."""
    fake = FakeGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(actions_checkout, name, getattr(fake, name))
        monkeypatch.setattr(real_gateway, name, getattr(fake, name))
    return fake


def state(row) -> tuple[str, bool, int]:
    """Of the order, of the place, and of the counter."""
    row.refresh_from_db()
    row.activity.refresh_from_db()
    return row.order.status, row.holds_place, row.activity.places_taken


@pytest.mark.django_db
class TestStartCheckout:
    def test_gives_the_address_to_pay_at(self, gateway, registration):
        assert start_checkout(registration=registration, at=NOON) == "https://pay.example/cs_test_1"

    def test_gives_the_same_one_while_it_is_open(self, gateway, registration):
        start_checkout(registration=registration, at=NOON)

        again = start_checkout(registration=registration, at=NOON + timedelta(minutes=5))

        assert again == "https://pay.example/cs_test_1"
        assert len(gateway.asked) == 1

    def test_says_that_a_paid_order_has_nothing_to_pay(self, gateway, registration):
        hear(event_of(registration, "checkout.session.completed"))

        with pytest.raises(OrderNotPayable):
            start_checkout(registration=registration, at=NOON)


@pytest.mark.django_db
class TestStartCheckoutInTrouble:
    def test_gives_the_place_back_when_stripe_refuses(self, gateway, registration):
        gateway.will(refused())

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert trouble.value.is_place_free
        assert state(registration) == (OrderStatus.CANCELED, False, 0)

    def test_lets_the_same_person_begin_again_afterwards(self, gateway, registration):
        gateway.will(refused())
        with pytest.raises(CheckoutUnavailable):
            start_checkout(registration=registration, at=NOON)

        person = {"name": registration.name, "email": registration.email, "language": "fr"}
        begun = register_or_resume(activity=registration.activity, at=NOON, **person)

        assert not begun.is_resumed
        assert start_checkout(registration=begun.registration, at=NOON).startswith("https://pay.example/")

    @pytest.mark.parametrize("was_made", [True, False])
    def test_keeps_the_place_while_a_session_may_have_been_opened(self, gateway, registration, was_made):
        gateway.will(unavailable(), after_doing=was_made)

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert not trouble.value.is_place_free
        assert state(registration) == (OrderStatus.PENDING, True, 1)
        assert start_checkout(registration=registration, at=NOON) == "https://pay.example/cs_test_1"

    def test_keeps_the_place_when_the_open_session_cannot_be_asked_for(self, gateway, registration, monkeypatch):
        start_checkout(registration=registration, at=NOON)

        def down(**_call):
            raise unavailable()

        monkeypatch.setattr(actions_checkout, "retrieve_checkout_session", down)
        monkeypatch.setattr(real_gateway, "retrieve_checkout_session", down)

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert not trouble.value.is_place_free
        assert state(registration) == (OrderStatus.PENDING, True, 1)

    def test_does_not_cost_anybody_the_place_that_was_offered_to_them(self, gateway, registration):
        WaitingEntry.objects.create(
            activity=registration.activity, name=registration.name, email=registration.email, language="fr",
            created_at=NOON, offered=registration,
        )  # fmt: skip
        gateway.will(refused())

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert not trouble.value.is_place_free
        assert state(registration) == (OrderStatus.PENDING, True, 1)
