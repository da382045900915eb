"""The waiting list: joined once, offered in order, never by two workers, and never over the head of who paid."""

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
from registrations.holds import TooManyEntries
from registrations.links import mailed_page_path
from registrations.models import Activity, Registration, WaitingEntry
from registrations.services.register import (
    ActivityFull,
    AlreadyRegistered,
    SalesClosed,
    confirm_free,
    register,
    register_or_resume,
)
from registrations.services.waiting_list import (
    OFFER_LIFETIME,
    SHORT_OFFER_LIFETIME,
    PlacesLeft,
    confirm_waiting,
    join_waiting_list,
    offer_places,
)
from registrations.tasks import offer_places_job
from tests.support.mails import leads_to, read, sent
from tests.support.processes import wait_until
from tests.support.road import NOON, event_of, hear
from tests.support.stripe_moods import MoodyGateway, stand_in
from tests.support.waiting_people import address_of, ask_to_wait_for, wait_for

COMPLETED, EXPIRED = "checkout.session.completed", "checkout.session.expired"
LATER = NOON + timedelta(hours=2)


@pytest.fixture
def full(make_activity, make_registration) -> Activity:
    """One place, and somebody has it."""
    activity = make_activity(slug="tiny", capacity=1)
    make_registration("Holder One", of=activity)
    activity.refresh_from_db()
    return activity


@pytest.fixture
def gateway(monkeypatch) -> MoodyGateway:
    return stand_in(monkeypatch)


def free(activity: Activity) -> None:
    """Whoever holds a place lets it go."""
    for row in activity.registrations.filter(holds_place=True):
        hear(event_of(row, EXPIRED))


def add_places(activity: Activity, capacity: int) -> None:
    Activity.objects.filter(pk=activity.pk).update(capacity=capacity)


def offered(activity: Activity) -> list[str]:
    """Who was offered a place, whoever was first at the front."""
    rows = WaitingEntry.objects.filter(activity=activity, offered__isnull=False)
    return list(rows.order_by("offered__pk").values_list("name", flat=True))


def offer_of(name: str) -> Registration:
    return Registration.objects.select_related("order", "activity").get(waited__name=name)


@pytest.mark.django_db
class TestJoinWaitingList:
    def test_keeps_who_when_and_in_which_language(self, full):
        entry = join_waiting_list(activity=full, name="Zoë Martin", email="Zoe@Example.com", language="fr", at=NOON)

        entry.refresh_from_db()
        assert (entry.name, entry.email, entry.language, entry.created_at, entry.offered) == (
            "Zoë Martin", "zoe@example.com", "fr", NOON, None,
        )  # fmt: skip

    def test_keeps_the_turn_of_who_asks_again_in_any_spelling(self, full):
        [entry] = wait_for(full, "Zoë Martin")

        again = join_waiting_list(
            activity=full, name="ZOË MARTIN", email=entry.email.upper(), language="fr", at=LATER
        )  # fmt: skip

        assert again == entry
        assert WaitingEntry.objects.get().created_at == NOON

    def test_lets_two_people_wait_under_one_address(self, full):
        for name in ("Zoë Martin", "Max Martin"):
            join_waiting_list(activity=full, name=name, email="martin@example.com", language="fr", at=NOON)

        assert WaitingEntry.objects.count() == 2

    def test_is_refused_while_places_are_left(self, activity):
        with pytest.raises(PlacesLeft):
            wait_for(activity, "Zoë Martin")

    def test_is_open_while_others_wait_for_a_place_that_is_free(self, full):
        wait_for(full, "Zoë Martin")
        add_places(full, 2)

        wait_for(full, "Max Meyer")

        assert WaitingEntry.objects.count() == 2

    def test_is_refused_to_who_holds_a_place(self, full):
        with pytest.raises(AlreadyRegistered):
            join_waiting_list(
                activity=full, name="holder one", email=address_of("Holder One"), language="fr", at=NOON
            )  # fmt: skip

    def test_is_refused_to_who_has_paid_and_comes_first_anyway(self, make_activity, make_registration):
        tiny = make_activity(slug="tiny", capacity=1)
        late = make_registration("Late Payer", of=tiny)
        hear(event_of(late, EXPIRED))
        make_registration("Alex Smith", of=tiny)
        hear(event_of(late, COMPLETED))

        with pytest.raises(AlreadyRegistered):
            wait_for(tiny, "Late Payer")

    @pytest.mark.parametrize(
        "change", [{"is_on_sale": False}, {"starts_at": NOON}, {"called_off_at": NOON - timedelta(days=1)}]
    )
    def test_is_closed_when_nothing_is_sold(self, full, change):
        Activity.objects.filter(pk=full.pk).update(**change)

        with pytest.raises(SalesClosed):
            wait_for(full, "Zoë Martin")

        assert not WaitingEntry.objects.exists()


@pytest.mark.django_db
class TestHasWaitingPeople:
    def test_is_true_until_the_last_one_has_an_offer(self, full, django_assert_num_queries):
        before = full.has_waiting_people()
        wait_for(full, "Zoë Martin")
        meanwhile = full.has_waiting_people()
        free(full)
        offer_places(at=LATER)

        with django_assert_num_queries(1):
            after = full.has_waiting_people()
        assert (before, meanwhile, after) == (False, True, False)

    def test_looks_at_this_activity_only(self, full, activity):
        wait_for(full, "Zoë Martin")

        assert not activity.has_waiting_people()

    def test_makes_the_activity_full_for_everybody_else(self, full):
        wait_for(full, "Zoë Martin")
        free(full)

        with pytest.raises(ActivityFull):
            register_or_resume(activity=full, name="Fast Buyer", email="fast@example.com", language="fr", at=LATER)


@pytest.mark.django_db
class TestTooManyEntries:
    """Each of them sends a mail to an address that anybody can type."""

    def join(self, activity, name, *, at=NOON):
        return join_waiting_list(activity=activity, name=name, email="zoe@example.com", language="en", at=at)

    def test_are_refused_for_an_address_that_nobody_has_confirmed(self, full, settings):
        settings.HOLDS_PER_ADDRESS = 2
        self.join(full, "Ann")
        self.join(full, "Ben")

        with pytest.raises(TooManyEntries):
            self.join(full, "Cleo")
        assert self.join(full, "Ann").name == "Ann"

    def test_are_no_more_after_an_hour_or_when_the_address_is_confirmed(self, full, settings):
        settings.HOLDS_PER_ADDRESS = 1
        entry = self.join(full, "Ann")

        self.join(full, "Ben", at=NOON + timedelta(minutes=61))
        WaitingEntry.objects.exclude(pk=entry.pk).delete()
        confirm_waiting(entry=entry, at=NOON)
        self.join(full, "Cleo")

        assert WaitingEntry.objects.count() == 2


class TestOfferPlaces:
    def test_holds_the_freed_place_for_who_has_waited_longest(self, full):
        wait_for(full, "Zoë Martin", "Max Meyer")
        free(full)

        made = offer_places(at=LATER)

        row = offer_of("Zoë Martin")
        assert (made, offered(full)) == (1, ["Zoë Martin"])
        assert (row.status, row.holds_place, row.held_until) == ("PENDING", True, LATER + OFFER_LIFETIME)
        assert row.order.checkouts.get().expires_at == LATER + OFFER_LIFETIME
        full.refresh_from_db()
        assert full.places_taken == 1

    def test_offers_as_many_places_as_there_are(self, full):
        wait_for(full, "Zoë Martin", "Max Meyer", "Ali Benali")
        add_places(full, 3)

        assert offer_places(at=LATER) == 2
        assert offered(full) == ["Zoë Martin", "Max Meyer"]

    def test_offers_nothing_twice(self, full):
        wait_for(full, "Zoë Martin", "Max Meyer")
        free(full)
        offer_places(at=LATER)

        assert offer_places(at=LATER) == 0
        assert Effect.objects.filter(kind="registration.offer").count() == 1

    def test_seats_first_who_has_paid(self, full, make_registration):
        holder = full.registrations.get()
        hear(event_of(holder, EXPIRED))
        make_registration("Alex Smith", of=full)
        hear(event_of(holder, COMPLETED))
        wait_for(full, "Zoë Martin")
        add_places(full, 2)

        assert offer_places(at=LATER) == 0

        holder.refresh_from_db()
        assert holder.holds_place

    @pytest.mark.parametrize("change", [{"is_on_sale": False}, {"starts_at": LATER}, {"called_off_at": NOON}])
    def test_offers_nothing_where_nothing_is_sold(self, full, change):
        wait_for(full, "Zoë Martin")
        Activity.objects.filter(pk=full.pk).update(capacity=2, **change)

        assert offer_places(at=LATER) == 0

    def test_forgets_who_has_found_a_place_another_way(self, full, make_registration):
        wait_for(full, "Zoë Martin", "Max Meyer")
        add_places(full, 3)
        make_registration("Zoë Martin", of=full)

        assert offer_places(at=LATER) == 1
        assert list(WaitingEntry.objects.values_list("name", flat=True)) == ["Max Meyer"]
        assert offered(full) == ["Max Meyer"]

    def test_serves_each_activity_by_its_own_list(self, full, make_activity, make_registration):
        other = make_activity(slug="other", capacity=1)
        make_registration("Holder Two", of=other)
        for activity in (full, other):
            wait_for(activity, "Zoë Martin")
        add_places(other, 2)

        offer_places(at=LATER)

        assert (offered(full), offered(other)) == ([], ["Zoë Martin"])

    def test_is_done_by_the_timetable(self, full):
        wait_for(full, "Zoë Martin")
        Activity.objects.filter(pk=full.pk).update(capacity=2, starts_at=NOON + timedelta(days=9999))

        offer_places_job()

        assert offered(full) == ["Zoë Martin"]

    def test_costs_two_queries_when_nobody_can_be_offered_anything(self, full, django_assert_num_queries):
        wait_for(full, "Zoë Martin")

        with django_assert_num_queries(2):  # who paid and waits, where something can be offered
            offer_places(at=LATER)


@pytest.mark.django_db
class TestOffer:
    @pytest.fixture
    def offer(self, full) -> Registration:
        wait_for(full, "Zoë Martin", "Max Meyer")
        free(full)
        offer_places(at=LATER)
        return offer_of("Zoë Martin")

    def tell(self, at=LATER):
        Effect.objects.exclude(kind="registration.offer").delete()
        deliver_due(at=at)

    def test_is_told_with_the_persons_own_link_and_until_when(self, offer):
        self.tell()

        assert sent().to == [address_of("Zoë Martin")]
        assert "A place is free for you: Tiny" in sent().subject
        for text in read(sent()):
            assert "Until March 3, 2026 at 3 p.m. we hold it for you." in text
            assert "ake the place" in text
            assert "pay" in text
        assert leads_to(sent(), mailed_page_path(offer))

    def test_is_not_told_when_it_has_been_taken_up(self, offer):
        hear(event_of(offer, COMPLETED, at=LATER))

        self.tell()

        assert post.outbox == []

    def test_passes_to_the_next_person_when_it_lapses(self, offer, full):
        end = LATER + OFFER_LIFETIME
        clean_up(at=end - timedelta(minutes=1))
        before = offer_places(at=end)

        clean_up(at=end)

        assert (before, offer_places(at=end)) == (0, 1)
        assert offered(full) == ["Zoë Martin", "Max Meyer"]
        offer.refresh_from_db()
        assert (offer.status, offer.holds_place, offer.waited.name) == ("EXPIRED", False, "Zoë Martin")

    def test_may_be_waited_for_again_after_it_has_lapsed(self, offer, full):
        hear(event_of(offer, EXPIRED))
        offer_places(at=LATER)

        wait_for(full, "Zoë Martin", at=LATER)

        assert WaitingEntry.objects.filter(name="Zoë Martin").count() == 2

    def test_is_not_shortened_by_opening_checkout(self, offer, gateway):
        opened = open_checkout(order_id=offer.order_id, at=LATER + timedelta(hours=1))

        offer.refresh_from_db()
        assert (offer.held_until, opened.expires_at) == (LATER + OFFER_LIFETIME, LATER + OFFER_LIFETIME)

    def test_is_not_prolonged_by_opening_checkout_at_its_end(self, offer, gateway):
        opened = open_checkout(order_id=offer.order_id, at=LATER + OFFER_LIFETIME - timedelta(minutes=5))

        offer.refresh_from_db()
        assert offer.held_until == LATER + OFFER_LIFETIME
        assert opened.expires_at == LATER + OFFER_LIFETIME + timedelta(minutes=26)  # Stripe's shortest session

    def test_never_asks_stripe_for_more_than_its_longest_session(self, offer, gateway):
        opened = open_checkout(order_id=offer.order_id, at=LATER)

        assert opened.expires_at == LATER + timedelta(hours=23, minutes=59)

    def test_is_kept_by_paying(self, offer, full):
        hear(event_of(offer, COMPLETED, at=LATER))

        offer.refresh_from_db()
        assert (offer.status, offer.holds_place) == ("PAID", True)

    def test_is_resumed_by_the_form_on_the_public_page(self, offer, full):
        begun = register_or_resume(
            activity=full, name="Zoë Martin", email=address_of("Zoë Martin"), language="en", at=LATER
        )

        assert (begun.registration, begun.is_resumed) == (offer, True)

    def test_of_a_free_activity_is_confirmed_only_when_accepted(self, full):
        Activity.objects.filter(pk=full.pk).update(price=0)
        wait_for(full, "Zoë Martin")
        free(full)
        offer_places(at=LATER)
        offer = offer_of("Zoë Martin")
        assert (offer.status, offer.holds_place) == ("PENDING", True)

        confirm_free(registration=offer, at=LATER)

        assert (offer.status, offer.holds_place) == ("PAID", True)

    def test_of_a_free_activity_asks_to_confirm_and_not_to_pay(self, full):
        Activity.objects.filter(pk=full.pk).update(price=0)
        wait_for(full, "Zoë Martin")
        free(full)
        offer_places(at=LATER)

        self.tell()

        for text in read(sent()):
            assert "ake the place" in text
            assert "pay" not in text


@pytest.mark.django_db(transaction=True)
class TestOffersByManyWorkers:
    WORKERS = 6

    def together(self, work):
        """All start at the same moment, each on a connection of its own."""
        start = threading.Barrier(self.WORKERS)

        def run(number):
            start.wait(10)
            try:
                return work(number)
            finally:
                connection.close()

        with ThreadPoolExecutor(self.WORKERS) as pool:
            return list(pool.map(run, range(self.WORKERS)))

    def test_never_offer_one_place_or_one_person_twice(self, full):
        names = [f"Person {letter}" for letter in "ABCDEFGHIJKL"]
        wait_for(full, *names)
        add_places(full, 9)

        made = self.together(lambda _number: offer_places(at=LATER))

        full.refresh_from_db()
        assert (sum(made), offered(full), full.places_taken) == (8, names[:8], 9)
        assert full.registrations.filter(holds_place=True).count() == 9
        assert Effect.objects.filter(kind="registration.offer").count() == 8

    def test_are_not_overtaken_by_buyers(self, full):
        wait_for(full, "Zoë Martin", "Max Meyer")
        add_places(full, 3)

        def work(number):
            if number % 2:
                return offer_places(at=LATER)
            try:
                register_or_resume(
                    activity=full, name=f"Buyer {number}", email="buyer@example.com", language="fr", at=LATER
                )
            except ActivityFull:
                return 0
            return pytest.fail("somebody came first")

        made = self.together(work)

        assert (sum(made), offered(full)) == (2, ["Zoë Martin", "Max Meyer"])

    def test_join_one_person_once(self, full):
        entries = self.together(lambda _number: wait_for(full, "Zoë Martin")[0])

        assert {entry.pk for entry in entries} == {WaitingEntry.objects.get().pk}

    def test_leave_the_turn_to_who_has_it_in_hand(self, full):
        wait_for(full, "Zoë Martin", "Max Meyer")
        add_places(full, 2)
        done = []
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM registrations_waitingentry WHERE name = 'Zoë Martin' FOR UPDATE")
            other = threading.Thread(target=lambda: (done.append(offer_places(at=LATER)), connection.close()))
            other.start()
            wait_until(lambda: done)
            cursor.execute("COMMIT")
        other.join(10)

        assert (done, offered(full)) == ([0], [])

    def test_survive_a_buyer_who_takes_the_place_at_that_moment(self, full):
        wait_for(full, "Zoë Martin")
        add_places(full, 2)

        def work(number):
            if number % 2:
                return offer_places(at=LATER)
            try:
                register(activity=full, name=f"Old {number}", email="old@example.com", language="fr", at=LATER)
            except ActivityFull:
                return 0
            return 1

        made = self.together(work)

        full.refresh_from_db()
        assert (sum(made), full.places_taken) == (1, 2)


@pytest.mark.django_db
class TestUnconfirmedEntries:
    def test_get_no_offer_and_take_nobodys_turn(self, full):
        ask_to_wait_for(full, "First Unread")
        wait_for(full, "Second Reader", at=LATER)
        add_places(full, 2)

        offer_places(at=LATER)

        assert offered(full) == ["Second Reader"]

    def test_keep_nobody_from_a_free_place(self, activity):
        WaitingEntry.objects.create(
            activity=activity, name="A", email="a@example.com", language="en", created_at=NOON, email_state="asked"
        )

        begun = register_or_resume(activity=activity, name="B", email="b@example.com", language="en", at=NOON)

        assert begun.registration.holds_place

    def test_are_asked_by_mail_at_most_three_times_an_hour(self, full):
        for _time in range(5):
            ask_to_wait_for(full, "First Unread")

        assert Effect.objects.filter(kind="waiting.confirm_address").count() == 3

    def test_count_from_when_they_were_made_once_confirmed(self, full):
        [first] = ask_to_wait_for(full, "First Unread")
        wait_for(full, "Second Reader", at=LATER)
        confirm_waiting(entry=first, at=LATER)
        add_places(full, 2)

        offer_places(at=LATER)

        assert offered(full) == ["First Unread"]


@pytest.mark.django_db
class TestOfferToAnAddressThatNobodyWasAskedAbout:
    def test_is_short(self, full):
        WaitingEntry.objects.create(
            activity=full, name="Old Entry", email="old@example.com", language="en", created_at=NOON
        )
        add_places(full, 2)

        offer_places(at=LATER)

        assert offer_of("Old Entry").held_until == LATER + SHORT_OFFER_LIFETIME
