"""The screens for activities and registrations: the counter of places survives every edit."""

import threading

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from registrations.models import Activity, Registration
from tests.support.factories import ActivityFactory, RegistrationFactory, make_staff
from tests.support.processes import wait_until
from tests.support.road import event_of, hear

LIST = reverse("admin:registrations_registration_changelist")


@pytest.fixture
def page(db):
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_staff())
    return client


@pytest.fixture
def pottery(db):
    """Three places, two of them taken."""
    activity = ActivityFactory(title="Pottery", slug="pottery", capacity=3)
    RegistrationFactory.create_batch(2, activity=activity)
    return activity


def edit(page, activity, **changes):
    starts = activity.starts_at
    data = {
        "title": activity.title, "slug": activity.slug, "price": activity.price, "currency": activity.currency,
        "capacity": activity.capacity, "late_money": activity.late_money, "is_on_sale": "on",
        "starts_at_0": starts.date().isoformat(), "starts_at_1": starts.time().isoformat(), **changes,
    }  # fmt: skip
    return page.post(reverse("admin:registrations_activity_change", args=[activity.pk]), data)


def found(page, **query):
    return {row.pk for row in page.get(LIST, query).context["cl"].result_list}


class TestActivity:
    def test_is_added_by_hand(self, page, pottery):
        data = {
            "title": "Weaving", "slug": "weaving", "price": "1500", "currency": "eur", "capacity": "4",
            "late_money": "ask", "starts_at_0": "2027-05-01", "starts_at_1": "10:00",
        }  # fmt: skip

        page.post(reverse("admin:registrations_activity_add"), data)

        assert Activity.objects.get(slug="weaving").places_left == 4

    def test_gets_more_places_or_fewer_down_to_those_taken(self, page, pottery):
        for capacity in (9, 2):
            assert edit(page, pottery, capacity=capacity).status_code == 302

            pottery.refresh_from_db()
            assert (pottery.capacity, pottery.places_taken) == (capacity, 2)

    def test_keeps_its_currency_as_stripe_writes_it(self, page, pottery):
        edit(page, pottery, currency="EUR")

        pottery.refresh_from_db()
        assert pottery.currency == "eur"

    def test_gives_added_places_to_who_paid_and_waits(
        self, page, make_activity, make_registration, django_capture_on_commit_callbacks
    ):
        tiny = make_activity(slug="tiny", capacity=1)
        late = make_registration("Late Payer", of=tiny)
        hear(event_of(late, "checkout.session.expired"))
        make_registration("Alex Smith", of=tiny)
        hear(event_of(late, "checkout.session.completed"))

        with django_capture_on_commit_callbacks(execute=True):
            edit(page, tiny, capacity="2")

        late.refresh_from_db()
        assert (late.status, late.holds_place) == ("PAID", True)

    def test_cannot_have_fewer_places_than_are_taken(self, page, pottery):
        response = edit(page, pottery, capacity=1)

        pottery.refresh_from_db()
        assert pottery.capacity == 3
        assert "2 places are taken: there cannot be fewer." in response.content.decode()

    def test_cannot_in_the_database_either(self, pottery):
        with pytest.raises(IntegrityError), transaction.atomic():
            Activity.objects.filter(pk=pottery.pk).update(capacity=1)

    def test_cannot_be_deleted(self, page, pottery):
        page.post(reverse("admin:registrations_activity_delete", args=[pottery.pk]), {"post": "yes"})

        assert Activity.objects.filter(pk=pottery.pk).exists()

    def test_does_not_take_the_counter_from_the_form(self, page, pottery):
        edit(page, pottery, places_taken=0)

        pottery.refresh_from_db()
        assert pottery.places_taken == 2


@pytest.mark.django_db(transaction=True)
class TestActivityEditedWhileSomebodyRegisters:
    """The form is sent while the last place is being taken."""

    def test_waits_and_then_sees_the_place_that_was_taken(self, page, pottery):
        answer = self.edit_meanwhile(page, pottery, capacity=2)  # fine before, too small afterwards

        pottery.refresh_from_db()
        assert (pottery.capacity, pottery.places_taken) == (3, 3)
        assert "3 places are taken" in answer.content.decode()

    def test_keeps_the_place_that_was_taken_meanwhile(self, page, pottery):
        self.edit_meanwhile(page, pottery, title="Raku", capacity=5)

        pottery.refresh_from_db()
        assert (pottery.title, pottery.capacity, pottery.places_taken) == ("Raku", 5, 3)

    def edit_meanwhile(self, page, pottery, **changes):
        answers = []
        sender = threading.Thread(target=lambda: (answers.append(edit(page, pottery, **changes)), connection.close()))
        with psycopg.connect(**connection.get_connection_params()) as buyer:
            buyer.execute("UPDATE registrations_activity SET places_taken = 3 WHERE id = %s", [pottery.pk])
            sender.start()
            wait_until(self.somebody_waits_for_a_lock)
            buyer.commit()
        sender.join(10)
        return answers[0]

    @staticmethod
    def somebody_waits_for_a_lock():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return cursor.fetchone()[0]


class TestRegistration:
    def test_is_found_under_each_of_its_names(self, page, pottery):
        row = RegistrationFactory(external_id="old-17", email="Zoe@Example.com")
        for name in (row.order.number, row.public_id, row.order.public_id, "old-17", "ZOE@example.com"):
            assert found(page, q=str(name)) == {row.pk}

    def test_that_ended_unpaid_is_hidden_until_asked_for(self, page, pottery):
        ended = RegistrationFactory(activity=pottery, order__status="EXPIRED")
        living = set(Registration.objects.live().values_list("pk", flat=True))

        assert found(page) == living
        assert found(page, ended="shown") == living | {ended.pk}

    def test_cannot_be_touched(self, page, pottery):
        row = pottery.registrations.first()
        own_page = reverse("admin:registrations_registration_change", args=[row.pk])

        assert page.get(own_page).status_code == 200
        assert page.post(own_page, {"status": "PAID"}).status_code == 403
