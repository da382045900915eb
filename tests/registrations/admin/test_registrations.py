"""The registrations' screen: found under each name, never edited; places are freed and messages repeated on request."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.effects.models import Effect
from payments.orders.models import OrderChange
from registrations.models import Registration
from tests.support.factories import RegistrationFactory, UserFactory
from tests.support.pages import text_of
from tests.support.road import event_of, hear
from tests.support.stripe_moods import stand_in

LIST = reverse("admin:registrations_registration_changelist")


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    return stand_in(monkeypatch)


def own_page(row):
    return reverse("admin:registrations_registration_change", args=[row.pk])


def found(page, **query):
    return {row.pk for row in page.get(LIST, query).context["cl"].result_list}


def act(page, action, *rows, ended=False, **more):
    data = {"action": action, "index": "0", "_selected_action": [row.pk for row in rows], **more}
    return page.post(f"{LIST}?ended=shown" if ended else LIST, data, follow=True)


def somebody_with(*rights):
    user = UserFactory(is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    page = Client(headers={"accept-language": "en"})
    page.force_login(user)
    return page


class TestRegistration:
    def test_is_found_under_each_of_its_names(self, page, activity):
        row = RegistrationFactory(external_id="old-17", email="Zoe@Example.com")
        for name in (row.order.number, row.public_id, row.order.public_id, "old-17", "ZOE@example.com"):
            assert found(page, q=str(name)) == {row.pk}

    def test_is_found_by_parts_of_its_name_and_address(self, page, activity):
        zoe = RegistrationFactory(name="Zoé de la Tour", email="z.latour@example.com")
        RegistrationFactory(activity=activity)

        assert [found(page, q=part) for part in ("la tour", "ZOÉ", "latour@", "zz")] == [{zoe.pk}] * 3 + [set()]

    def test_that_ended_unpaid_is_hidden_until_asked_for(self, page, activity):
        ended = RegistrationFactory(activity=activity, order__status="EXPIRED")
        RegistrationFactory.create_batch(2, activity=activity)
        living = set(Registration.objects.live().values_list("pk", flat=True))

        assert found(page) == living
        assert found(page, ended="shown") == living | {ended.pk}

    def test_that_was_given_up_is_hidden_until_asked_for(self, page, given_up):
        assert found(page) == set()
        assert found(page, ended="shown") == {given_up.pk}

    def test_cannot_be_touched(self, page, activity):
        row = RegistrationFactory(activity=activity)
        own_page = reverse("admin:registrations_registration_change", args=[row.pk])

        assert page.get(own_page).status_code == 200
        assert page.post(own_page, {"status": "PAID"}).status_code == 403

    def test_says_what_was_asked_and_what_became_of_it(self, page, registration):
        hear(event_of(registration, "checkout.session.completed"))

        content = page.get(LIST).content.decode()

        assert '<span class="pill pill-good">Paid</span>' in content
        assert "€49.00</td>" in content.replace("\N{NO-BREAK SPACE}", " ")

    def test_is_listed_in_as_many_queries_as_many_are(self, page, registration):
        few = self.queries(page)
        RegistrationFactory.create_batch(8)

        assert self.queries(page) == few <= 10

    @staticmethod
    def queries(page):
        page.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            assert page.get(LIST).status_code == 200
        return len(queries)


class TestFreeThePlace:
    def test_says_first_what_will_happen(self, page, registration):
        content = act(page, "free_action", registration).content.decode()

        assert "Free these places?" in content
        assert "A place that is paid for is not freed" in content
        registration.refresh_from_db()
        assert registration.holds_place

    def test_is_done_with_the_reason_and_the_person(self, page, staff, registration):
        response = act(page, "free_action", registration, confirmed="1", reason="Typed it twice")

        registration.refresh_from_db()
        assert not registration.holds_place
        change = OrderChange.objects.get(field="freed")
        assert (change.after, change.source) == ("Typed it twice", staff.email)
        assert "1 place is free." in response.content.decode()

    def test_tells_which_were_refused_and_frees_the_others(self, page, registration, make_registration):
        paid = make_registration("Paid Person")
        hear(event_of(paid, "checkout.session.completed"))

        content = act(page, "free_action", registration, paid, confirmed="1", reason="Storm").content.decode()

        assert "1 place is free." in content
        assert f"1 refused: Order {paid.order.number} has been paid" in content
        paid.refresh_from_db()
        assert paid.holds_place

    def test_is_not_done_by_looking_or_without_a_reason(self, page, registration):
        page.get(LIST, {"action": "free_action", "_selected_action": registration.pk, "confirmed": "1", "reason": "x"})
        act(page, "free_action", registration, confirmed="1", reason=" ")

        registration.refresh_from_db()
        assert registration.holds_place

    def test_needs_a_right_of_its_own(self, registration):
        page = somebody_with("view_registration", "resend_message", "view_personal_data")

        content = page.get(own_page(registration)).content.decode()
        act(page, "free_action", registration, confirmed="1", reason="x")

        registration.refresh_from_db()
        assert registration.holds_place
        assert "Free the place…" not in content
        assert "Resend the confirmation…" in content

    def test_is_offered_on_the_page_of_who_holds_one(self, page, registration):
        ended = RegistrationFactory(order__status="EXPIRED")

        assert "Free the place…" in page.get(own_page(registration)).content.decode()
        assert "Free the place…" not in page.get(own_page(ended)).content.decode()

    def test_takes_back_a_confirmed_place_in_a_free_activity(self, page, staff, confirmed):
        offered = "Free the place…" in page.get(own_page(confirmed)).content.decode()
        asked = act(page, "free_action", confirmed).content.decode()
        done = act(page, "free_action", confirmed, confirmed="1", reason="Cannot come").content.decode()

        confirmed.refresh_from_db()
        assert (offered, confirmed.status, confirmed.holds_place) == (True, "CANCELED", False)
        assert "in a free activity is given up for good" in asked
        assert "1 place is free." in done
        assert OrderChange.objects.get(field="freed").source == staff.email

    def test_leaves_no_more_to_free_and_says_when_it_was(self, page, given_up):
        content = page.get(own_page(given_up)).content.decode()

        assert "Free the place…" not in content
        assert "Place given up" in content
        assert "March 2, 2026, 1 p.m." in content


class TestSendTheMessageAgain:
    @pytest.fixture
    def paid(self, registration) -> Registration:
        hear(event_of(registration, "checkout.session.completed"))
        Effect.objects.update(status="DONE")
        return registration

    def test_says_first_what_will_happen(self, page, paid):
        assert "Resend the confirmation?" in act(page, "resend_action", paid).content.decode()
        assert Effect.objects.filter(key__contains=":again:").count() == 0

    def test_is_done_with_the_reason_and_the_person(self, page, staff, paid):
        response = act(page, "resend_action", paid, confirmed="1", reason="Never arrived")

        effect = Effect.objects.get(key__contains=":again:")
        assert (effect.data["reason"], effect.data["by"]) == ("Never arrived", staff.email)
        assert "1 message is on its way." in response.content.decode()

    def test_is_refused_where_there_is_nothing_to_tell(self, page, registration):
        content = act(page, "resend_action", registration, confirmed="1", reason="x").content.decode()

        assert "nothing to tell about order" in content
        assert not Effect.objects.exists()

    def test_reaches_a_registration_that_the_list_hides(self, page, registration):
        hear(event_of(registration, "checkout.session.expired"))
        Effect.objects.update(status="DONE")

        act(page, "resend_action", registration, ended=True, confirmed="1", reason="x")

        assert Effect.objects.filter(key__contains=":again:").exists()
        assert f'action="{LIST}?ended=shown"' in page.get(own_page(registration)).content.decode()

    def test_needs_a_right_of_its_own(self, paid):
        page = somebody_with("view_registration", "free_place", "correct_address")

        act(page, "resend_action", paid, confirmed="1", reason="x")

        assert not Effect.objects.filter(key__contains=":again:").exists()


class TestPayment:
    def test_tells_what_came_in_another_currency(self, page, registration):
        dollars = {"payment_intent": "pi_usd", "charge": "ch_usd", "session": "", "currency": "usd"}
        hear(event_of(registration, "payment_intent.succeeded", subject=dollars, amount=3000))

        assert "$30.00 is here" in text_of(page.get(own_page(registration)))

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("warning_needs_response", "€49.00 · Paid · The bank asks"),
            ("needs_response", "€49.00 · Paid · Disputed"),
        ],
    )
    def test_tells_what_the_bank_says(self, page, registration, status, words):
        hear(event_of(registration, "payment_intent.succeeded"))
        hear(event_of(registration, "charge.dispute.updated", status=status))

        assert words in text_of(page.get(own_page(registration)))
