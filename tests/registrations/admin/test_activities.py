"""The activities' screen: the counter of places survives every edit, and calling off asks before it acts."""

import threading

import psycopg
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from payments.effects.models import Effect
from payments.money import written_amount
from registrations.models import Activity
from tests.support.factories import ActivityFactory, RegistrationFactory, UserFactory
from tests.support.processes import wait_until
from tests.support.road import event_of, hear
from tests.support.waiting_people import wait_for

LIST = reverse("admin:registrations_activity_changelist")


@pytest.fixture
def pottery(db):
    """Three places, two of them taken."""
    activity = ActivityFactory(title="Pottery", slug="pottery", capacity=3)
    RegistrationFactory.create_batch(2, activity=activity)
    return activity


def address(activity):
    return reverse("admin:registrations_activity_change", args=[activity.pk])


def edit(page, activity, **changes):
    starts = activity.starts_at
    data = {
        "title": activity.title, "slug": activity.slug, "price": written_amount(activity.price, activity.currency),
        "currency": activity.currency, "capacity": activity.capacity, "late_money": activity.late_money,
        "is_on_sale": "on",
        "starts_at": starts.replace(tzinfo=None).isoformat(), **changes,
    }  # fmt: skip
    return page.post(address(activity), {key: value for key, value in data.items() if value is not None})


def call_off(page, *activities, **more):
    data = {"action": "call_off_action", "index": "0", "_selected_action": [each.pk for each in activities], **more}
    return page.post(LIST, data, follow=True)


class TestActivity:
    def test_is_added_by_hand(self, page, pottery):
        data = {
            "title": "Weaving", "slug": "weaving", "price": "15.00", "currency": "eur", "capacity": "4",
            "late_money": "ask", "starts_at": "2027-05-01T10:00",
        }  # fmt: skip

        page.post(reverse("admin:registrations_activity_add"), data)

        weaving = Activity.objects.get(slug="weaving")
        assert (weaving.price, weaving.places_left) == (1500, 4)

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


class TestPlaces:
    def test_are_told_in_words_that_add_up(self, page, pottery):
        RegistrationFactory(activity=pottery, order__status="PAID")
        Activity.objects.filter(pk=pottery.pk).update(capacity=20, places_taken=3)

        for where in (LIST, address(pottery)):
            assert "1 paid · 2 held · 17 free of 20" in page.get(where).content.decode()

    def test_count_a_disputed_payment_as_paid(self, page, make_activity, make_registration):
        row = make_registration(of=make_activity(slug="tiny", capacity=4))
        hear(event_of(row, "checkout.session.completed"), event_of(row, "charge.dispute.created"))

        assert "1 paid · 0 held · 3 free of 4" in page.get(LIST).content.decode()

    def test_are_drawn_to_scale_without_a_style(self, page, pottery):
        RegistrationFactory(activity=pottery, order__status="PAID")

        content = page.get(LIST).content.decode()

        assert 'viewBox="0 0 3 1"' in content
        assert (
            '<rect class="places-held" width="3" height="1"/><rect class="places-paid" width="1" height="1"/>'
            in content
        )
        assert "style=" not in content.split('class="places"')[1].split("</svg>")[0]

    def test_of_an_activity_without_any_are_drawn_too(self, page, db):
        ActivityFactory(capacity=0)

        assert "0 paid · 0 held · 0 free of 0" in page.get(LIST).content.decode()

    def test_lead_to_the_registrations_behind_them(self, page, pottery):
        RegistrationFactory()
        link = f"{reverse('admin:registrations_registration_changelist')}?activity__id__exact={pottery.pk}"

        assert link in page.get(LIST).content.decode()
        assert {row.activity_id for row in page.get(link).context["cl"].result_list} == {pottery.pk}


class TestCost:
    def test_of_the_list_does_not_grow_with_the_activities(self, page, pottery):
        few = self.queries(page, LIST)
        for _number in range(8):
            RegistrationFactory(activity=ActivityFactory(), order__status="PAID")

        assert self.queries(page, LIST) == few <= 10

    def test_of_the_page_does_not_grow_with_the_people(self, page, make_activity, make_registration):
        tiny = make_activity(slug="tiny", capacity=1)
        make_registration(of=tiny)
        wait_for(tiny, "Zoë Martin")
        few = self.queries(page, address(tiny))
        wait_for(tiny, *(f"Person {letter}" for letter in "ABCDEFGH"))

        assert self.queries(page, address(tiny)) == few <= 10

    @staticmethod
    def queries(page, where):
        page.get(where)
        with CaptureQueriesContext(connection) as queries:
            assert page.get(where).status_code == 200
        return len(queries)


class TestWaitingPeople:
    def test_are_shown_in_their_order(self, page, make_activity, make_registration):
        tiny = make_activity(slug="tiny", capacity=1)
        make_registration(of=tiny)
        wait_for(tiny, "Zoë <b>Martin", "Ali Benali")

        content = page.get(address(tiny)).content.decode()

        assert content.index("Zoë &lt;b&gt;Martin") < content.index("Ali Benali · ali.benali@example.com")

    def test_are_none_at_first(self, page, pottery):
        assert "No one on the waiting list." in page.get(address(pottery)).content.decode()

    def test_are_not_asked_for_on_the_page_for_a_new_activity(self, page, pottery):
        assert page.get(reverse("admin:registrations_activity_add")).status_code == 200


class TestCallOff:
    def test_says_first_what_will_happen(self, page, pottery):
        paid = RegistrationFactory(activity=ActivityFactory(title="Raku", price=4900))
        hear(event_of(paid, "checkout.session.completed"))
        RegistrationFactory(activity=paid.activity)

        content = call_off(page, paid.activity).content.decode().replace("\N{NO-BREAK SPACE}", " ")

        for sentence in (
            "Call this activity off?",
            "2 people are told by e-mail.",
            "1 payment is refunded: €49.00 in all.",
            "this cannot be undone",
        ):
            assert sentence in content
        paid.activity.refresh_from_db()
        assert paid.activity.called_off_at is None

    def test_says_when_nobody_has_paid(self, page, pottery):
        assert "Nobody has paid yet: nothing is refunded." in call_off(page, pottery).content.decode()

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_is_not_done_without_a_reason(self, page, pottery, reason):
        response = call_off(page, pottery, confirmed="1", reason=reason)

        pottery.refresh_from_db()
        assert pottery.called_off_at is None
        assert "This field is required." in response.content.decode()

    def test_is_done_and_kept_with_reason_and_person(self, page, staff, pottery):
        response = call_off(page, pottery, confirmed="1", reason="The teacher is ill.")

        pottery.refresh_from_db()
        assert (pottery.is_on_sale, pottery.called_off_reason) == (False, "The teacher is ill.")
        assert Effect.objects.filter(kind="registration.called_off").count() == 2
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id) == (staff, str(pottery.pk))
        assert entry.change_message.startswith(
            "Call off · The teacher is ill. · places taken: 2 → 0 · on sale: True → False · called off: – → "
        )
        assert "“Pottery” is called off" in response.content.decode()

    def test_is_done_for_one_activity_at_a_time(self, page, pottery):
        response = call_off(page, pottery, ActivityFactory(), confirmed="1", reason="Storm")

        assert "one activity at a time" in response.content.decode()
        assert not Activity.objects.filter(called_off_at__isnull=False).exists()

    def test_is_not_done_by_looking(self, page, pottery):
        page.get(LIST, {"action": "call_off_action", "_selected_action": pottery.pk, "confirmed": "1", "reason": "x"})

        pottery.refresh_from_db()
        assert pottery.called_off_at is None

    def test_needs_a_right_of_its_own(self, pottery):
        editor = UserFactory(is_staff=True)
        rights = Permission.objects.filter(codename__in=["change_activity", "view_activity"])
        editor.user_permissions.add(*rights)
        page = Client(headers={"accept-language": "en"})
        page.force_login(editor)

        content = page.get(address(pottery)).content.decode()
        call_off(page, pottery, confirmed="1", reason="Storm")

        pottery.refresh_from_db()
        assert pottery.called_off_at is None
        assert "Call off…" not in content

    def test_is_offered_on_the_page_until_it_is_done(self, page, pottery):
        before = page.get(address(pottery)).content.decode()
        call_off(page, pottery, confirmed="1", reason="The teacher is ill.")

        after = page.get(address(pottery)).content.decode()
        assert "Call off…" in before
        assert "Call off…" not in after
        assert "The teacher is ill." in after

    def test_is_for_good(self, page, pottery):
        Activity.objects.filter(pk=pottery.pk).update(called_off_at=timezone.now(), is_on_sale=False)

        response = edit(page, pottery)
        assert "it cannot be sold again" in response.content.decode()
        assert edit(page, pottery, is_on_sale=None, title="Raku").status_code == 302
        pottery.refresh_from_db()
        assert (pottery.is_on_sale, pottery.title) == (False, "Raku")
