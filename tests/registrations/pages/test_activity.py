from datetime import timedelta

import pytest
from django.test import Client

from registrations.links import page_path
from registrations.models import Activity, Registration, WaitingEntry
from tests.support.fake_gateway import refused, unavailable
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db

ADDRESS = "/activities/pottery/"
CAMILLE = {"name": "Camille Martin", "email": "camille@example.com"}
CLOSED = [
    ({"is_on_sale": False}, "Sales are paused"),
    ({"starts_at": NOON}, "This activity is over"),
    ({"called_off_at": NOON, "called_off_reason": "The kiln is broken."}, "The kiln is broken."),
]


@pytest.fixture
def full(make_activity) -> Activity:
    return make_activity(slug="tiny", capacity=1, places_taken=1)


class TestActivityPage:
    def test_shows_what_one_registers_for_and_what_it_costs(self, visitor, make_activity):
        make_activity(place="Lyon", description="First line.\n\n<b>Second</b> line.")

        response = visitor.get(ADDRESS)

        page = text_of(response)
        for words in ("Pottery", "Lyon", "First line.", "10 places left", "Pay 49.00 EUR", "held for 30 minutes"):
            assert words in page
        assert "<b>Second" not in response.content.decode()

    def test_asks_for_no_money_where_there_is_nothing_to_pay(self, visitor, make_activity):
        make_activity(price=0)

        page = text_of(visitor.get(ADDRESS))

        assert "Register" in page
        assert "EUR" not in page

    def test_of_nothing_is_404(self, visitor, db):
        assert visitor.get("/activities/nothing/").status_code == 404
        assert visitor.post("/activities/nothing/", CAMILLE).status_code == 404
        assert visitor.post("/activities/nothing/waiting-list", CAMILLE).status_code == 404

    @pytest.mark.parametrize(("change", "words"), CLOSED)
    def test_says_why_one_cannot_register(self, visitor, make_activity, change, words):
        activity = make_activity()
        Activity.objects.filter(pk=activity.pk).update(**change)

        response = visitor.get(ADDRESS)

        assert words in text_of(response)
        assert 'name="email"' not in response.content.decode()


class TestRegister:
    def test_leads_to_the_payment(self, visitor, gateway, activity):
        response = visitor.post(ADDRESS, CAMILLE)

        assert (response.status_code, response["Location"]) == (303, "https://pay.example/cs_test_1")
        row = Registration.objects.get()
        assert (row.name, row.email, row.language, row.holds_place) == (*CAMILLE.values(), "en", True)

    @pytest.mark.parametrize("again", [CAMILLE, {"name": " camille  martin ", "email": "CAMILLE@example.com"}])
    def test_leads_to_the_same_payment_however_often_it_is_clicked(self, visitor, gateway, activity, again):
        first = visitor.post(ADDRESS, CAMILLE)

        second = visitor.post(ADDRESS, again)

        assert second["Location"] == first["Location"]
        assert (Registration.objects.count(), len(gateway.sessions)) == (1, 1)

    def test_keeps_people_as_they_are_compared(self, visitor, gateway, activity):
        visitor.post(ADDRESS, {"name": "  Zoe\u0308   Martin ", "email": "Zoe@Example.COM"})

        row = Registration.objects.get()
        assert (row.name, row.email) == ("Zoë Martin", "zoe@example.com")

    def test_of_a_free_activity_is_confirmed_at_once(self, visitor, gateway, make_activity):
        make_activity(price=0)

        response = visitor.post(ADDRESS, CAMILLE, follow=True)

        assert response.redirect_chain == [(page_path(Registration.objects.get()), 303)]
        assert "Your place is confirmed" in text_of(response)
        assert gateway.asked == []

    def test_needs_a_form_of_ours(self, gateway, activity):
        response = Client(enforce_csrf_checks=True).post(ADDRESS, CAMILLE)

        assert response.status_code == 403
        assert not Registration.objects.exists()

    def test_has_its_limit(self, visitor, gateway, activity, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 2

        answers = [visitor.post(ADDRESS, CAMILLE) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert int(answers[2]["Retry-After"]) > 0
        assert "too often" in text_of(answers[2])


class TestInvalidInput:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"name": "", "email": "a@example.com"}, "enter your name"),
            ({"name": "   ", "email": "a@example.com"}, "enter your name"),
            ({"name": "123", "email": "a@example.com"}, "enter a name"),
            ({"name": "\u200b", "email": "a@example.com"}, "enter a name"),
            ({"name": "Ann\r\nBcc: x", "email": "a@example.com"}, "on one line"),
            ({"name": "Ann\x07", "email": "a@example.com"}, "on one line"),
            ({"name": "Ann\u202eevil", "email": "a@example.com"}, "on one line"),
            ({"name": "x" * 201, "email": "a@example.com"}, "200"),
            ({"name": "Ann\x00", "email": "a@example.com"}, "Null"),
            ({"name": "Ann", "email": ""}, "enter your e-mail address"),
            ({"name": "Ann", "email": "not an address"}, "complete e-mail address"),
            ({"name": "Ann", "email": f"{'x' * 250}@example.com"}, "254"),
            ({}, "enter your name"),
        ],
    )
    def test_is_named_and_nothing_happens(self, visitor, gateway, activity, typed, words):
        response = visitor.post(ADDRESS, typed)

        assert response.status_code == 400
        assert "There is a problem" in text_of(response)
        assert words in text_of(response)
        assert (Registration.objects.count(), gateway.asked) == (0, [])

    def test_loses_nothing_that_was_typed(self, visitor, activity):
        page = visitor.post(ADDRESS, {"name": "Inès <Dubois>", "email": "ines@"}).content.decode()

        assert 'value="Inès &lt;Dubois&gt;"' in page
        assert 'value="ines@"' in page

    def test_leads_to_the_fields_from_a_summary_that_has_the_focus(self, visitor, activity):
        page = visitor.post(ADDRESS, {}).content.decode()

        assert '<div class="notice bad" role="alert" id="problem" tabindex="-1" autofocus>' in page
        for field in ("id_name", "id_email"):
            assert f'href="#{field}"' in page
            assert f'id="{field}"' in page
            assert f'id="{field}_error"' in page
        assert page.count('aria-invalid="true"') == 2


class TestWhoIsRefused:
    def test_reads_that_they_are_registered_and_no_more_than_that(self, visitor, gateway, activity):
        visitor.post(ADDRESS, CAMILLE)
        row = Registration.objects.get()
        hear(event_of(row, "checkout.session.completed", subject={"session": "cs_test_1"}))

        response = visitor.post(ADDRESS, CAMILLE)

        assert response.status_code == 409
        assert "You are registered already" in text_of(response)
        for secret in (page_path(row), str(row.public_id), row.order.number):
            assert secret not in response.content.decode()

    def test_is_not_charged_twice_while_the_payment_is_under_way(self, visitor, gateway, activity):
        visitor.post(ADDRESS, CAMILLE)
        gateway.sessions["cs_test_1"] |= {"status": "complete", "payment_status": "paid"}

        response = visitor.post(ADDRESS, CAMILLE)

        assert response.status_code == 409
        assert page_path(Registration.objects.get()) not in response.content.decode()

    def test_gets_the_waiting_list_when_the_last_place_has_gone(self, visitor, gateway, full):
        response = visitor.post("/activities/tiny/", CAMILLE)

        page = response.content.decode()
        assert response.status_code == 409
        assert "The last place has just been taken" in text_of(response)
        assert 'action="/activities/tiny/waiting-list"' in page
        assert 'value="camille@example.com"' in page
        assert gateway.asked == []

    @pytest.mark.parametrize(("change", "words"), CLOSED)
    def test_reads_why_when_sales_have_ended_meanwhile(self, visitor, gateway, activity, change, words):
        Activity.objects.filter(pk=activity.pk).update(**change)

        response = visitor.post(ADDRESS, CAMILLE, follow=True)

        assert words in text_of(response)
        assert (Registration.objects.count(), gateway.asked) == (0, [])


class TestStripeInTrouble:
    def test_gives_the_place_back_and_says_that_nothing_was_charged(self, visitor, gateway, activity):
        gateway.will(refused())

        response = visitor.post(ADDRESS, CAMILLE)

        assert response.status_code == 503
        assert "Nothing was charged, and your place is free again" in text_of(response)
        assert 'value="Camille Martin"' in response.content.decode()
        activity.refresh_from_db()
        assert activity.places_taken == 0

    def test_keeps_the_place_for_another_try_when_nobody_knows_how_it_ended(self, visitor, gateway, activity):
        gateway.will(unavailable(), after_doing=True)

        response = visitor.post(ADDRESS, CAMILLE)

        assert response.status_code == 503
        assert "until 1:31 p.m. we hold your place" in text_of(response)
        assert visitor.post(ADDRESS, CAMILLE)["Location"] == "https://pay.example/cs_test_1"


class TestWaitingList:
    ADDRESS = "/activities/tiny/waiting-list"

    def test_takes_a_person_once(self, visitor, full):
        for _ in range(2):
            response = visitor.post(self.ADDRESS, CAMILLE, follow=True)

        assert response.redirect_chain == [("/activities/tiny/?waiting", 303)]
        assert "You are on the waiting list" in text_of(response)
        assert WaitingEntry.objects.get().email == "camille@example.com"

    def test_names_what_is_wrong(self, visitor, full):
        response = visitor.post(self.ADDRESS, {"name": "Camille", "email": "x"})

        assert response.status_code == 400
        assert 'value="Camille"' in response.content.decode()
        assert not WaitingEntry.objects.exists()

    def test_sends_who_could_register_to_the_form(self, visitor, activity):
        response = visitor.post("/activities/pottery/waiting-list", CAMILLE)

        assert "A place has just become free" in text_of(response)
        assert 'action="/activities/pottery/"' in response.content.decode()

    def test_is_not_for_who_has_a_place(self, visitor, make_activity, make_registration):
        row = make_registration(of=make_activity(slug="tiny", capacity=1))

        response = visitor.post(self.ADDRESS, {"name": row.name, "email": row.email})

        assert response.status_code == 409
        assert "You are registered already" in text_of(response)

    def test_is_closed_when_sales_are(self, visitor, full):
        Activity.objects.filter(pk=full.pk).update(starts_at=NOON - timedelta(hours=1))

        response = visitor.post(self.ADDRESS, CAMILLE, follow=True)

        assert "This activity is over" in text_of(response)
        assert not WaitingEntry.objects.exists()

    def test_has_no_page_of_its_own(self, visitor, full):
        assert visitor.get(self.ADDRESS)["Location"] == "/activities/tiny/"
