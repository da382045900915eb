import json
import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from registrations.links import page_path, token_of
from registrations.models import Activity, Registration, WaitingEntry
from registrations.pages.catalogue import PER_PAGE
from tests.support.factories import ActivityFactory
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
        for words in ("Pottery", "Lyon", "First line.", "10 places left", "Pay €49.00", "held for 30 minutes"):
            assert words in page
        assert "<b>Second" not in response.content.decode()

    def test_tells_search_engines_what_it_is_and_lets_nobody_break_out_of_it(self, visitor, make_activity):
        make_activity(description="</script><b>", place="Atelier", city="Lyon", ends_at=NOON + timedelta(days=31))

        page = visitor.get(ADDRESS).content.decode()

        (told,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
        event = json.loads(told)
        assert (event["@type"], event["name"], event["description"]) == ("Event", "Pottery", "</script><b>")
        assert (event["location"]["address"], event["offers"]["price"]) == ("Atelier, Lyon", "49.00")
        assert f'<meta property="og:url" content="http://127.0.0.1:8000{ADDRESS}">' in page

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

    def test_of_a_free_activity_waits_for_the_link_in_the_mail(self, visitor, gateway, make_activity):
        make_activity(price=0)

        response = visitor.post(ADDRESS, CAMILLE, follow=True)

        assert response.redirect_chain == [(page_path(Registration.objects.get()), 303)]
        assert "Please confirm your e-mail address" in text_of(response)
        assert "waiting for payment" not in text_of(response)
        assert gateway.asked == []

    def test_of_a_free_activity_is_theirs_at_once_who_is_signed_in(self, visitor, make_activity):
        make_activity(price=0)
        visitor.force_login(User.objects.create_user(CAMILLE["email"], email_confirmed_at=NOON))

        response = visitor.post(ADDRESS, CAMILLE, follow=True)

        assert "Your place is confirmed" in text_of(response)

    @pytest.mark.parametrize("price", [4900, 0])
    def test_that_somebody_else_has_begun_goes_on_by_mail_without_any_secret(
        self, visitor, gateway, make_activity, price
    ):
        make_activity(price=price)
        visitor.post(ADDRESS, CAMILLE)
        row = Registration.objects.get()

        response = Client(headers={"Accept-Language": "en"}).post(ADDRESS, CAMILLE, follow=True)

        assert response.redirect_chain == [(f"{ADDRESS}?mailed", 303)]
        assert "Please check your e-mails" in text_of(response)
        for secret in (token_of(row), str(row.public_id), "pay.example"):
            assert secret not in response.content.decode()

    def test_of_too_many_places_at_once_is_refused_and_keeps_what_was_typed(self, visitor, gateway, activity, settings):
        settings.HOLDS_PER_ADDRESS = 1
        visitor.post(ADDRESS, CAMILLE)

        response = visitor.post(ADDRESS, {**CAMILLE, "name": "Alex Martin"})

        assert response.status_code == 409
        assert "Too many places are being held" in text_of(response)
        assert 'value="Alex Martin"' in response.content.decode()

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
        for kept in ('value="camille@example.com"', 'value="Camille Martin"', 'href="/modules/"'):
            assert kept in answers[2].content.decode()

    def test_that_is_not_filled_in_right_is_no_try_to_pay(self, visitor, gateway, activity, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1

        answers = [visitor.post(ADDRESS, {**CAMILLE, "email": "x"}) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [400] * 3
        assert visitor.post(ADDRESS, CAMILLE).status_code == 303

    def test_of_what_is_free_and_waiting_lists_are_no_try_to_pay(self, visitor, gateway, make_activity, full, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        make_activity(), make_activity(slug="open-day", price=0)

        free = [visitor.post("/activities/open-day/", CAMILLE), visitor.post("/activities/tiny/waiting-list", CAMILLE)]

        assert [answer.status_code for answer in free] == [303, 303]
        assert visitor.post(ADDRESS, CAMILLE)["Location"].startswith("https://pay.example/")

    def test_of_what_is_free_has_a_limit_of_its_own(self, visitor, make_activity, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        make_activity(price=0)

        answers = [visitor.post(ADDRESS, CAMILLE) for _ in range(5)]

        assert [answer.status_code for answer in answers] == [303] * 4 + [429]


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

        assert response.redirect_chain == [("/activities/tiny/?mailed", 303)]
        assert "Please check your e-mails" in text_of(response)
        assert WaitingEntry.objects.get().email == "camille@example.com"

    def test_of_many_people_with_an_address_that_nobody_confirms_is_refused(self, visitor, full, settings):
        settings.HOLDS_PER_ADDRESS = 1
        visitor.post(self.ADDRESS, CAMILLE)

        response = visitor.post(self.ADDRESS, {**CAMILLE, "name": "Alex Martin"})

        assert response.status_code == 409
        assert "This e-mail address waits for its confirmation" in text_of(response)
        assert 'value="Alex Martin"' in response.content.decode()

    def test_takes_who_is_signed_in_at_once(self, visitor, full):
        visitor.force_login(User.objects.create_user(CAMILLE["email"], email_confirmed_at=NOON))

        response = visitor.post(self.ADDRESS, CAMILLE, follow=True)

        assert "You are on the waiting list" in text_of(response)
        assert not WaitingEntry.objects.get().is_unconfirmed

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


def coming(**fields):
    return ActivityFactory(**{"starts_at": NOON + timedelta(days=30), **fields})


class TestCatalogue:
    @pytest.mark.parametrize(
        ("capacity", "taken", "words"),
        [
            (20, 6, "14 places left"),
            (20, 17, "3 places left"),
            (20, 18, "last 2 places"),
            (20, 19, "last place"),
            (20, 20, "full"),
        ],
    )
    def test_says_in_words_how_many_places_are_left(self, visitor, capacity, taken, words):
        coming(capacity=capacity, places_taken=taken)

        assert words in text_of(visitor.get("/"))

    def test_shows_title_date_place_and_price(self, visitor):
        coming(title="Poterie & thé", place="Lyon", price=4900)

        page = text_of(visitor.get("/"))

        assert all(words in page for words in ("Poterie & thé", "Lyon", "€49.00", " at "))

    def test_says_free_instead_of_a_price_of_nothing(self, visitor):
        coming(price=0)

        page = text_of(visitor.get("/"))

        assert "Free" in page
        assert "EUR" not in page

    def test_calls_an_activity_full_while_people_wait_for_a_place(self, visitor):
        activity = coming(capacity=5)
        WaitingEntry.objects.create(
            activity=activity, name="Alex", email="alex@example.com", language="en", created_at=NOON
        )

        page = text_of(visitor.get("/"))

        assert "full" in page
        assert "Join the waiting list" in page

    def test_shows_the_soonest_first(self, visitor):
        coming(title="Second one", starts_at=NOON + timedelta(days=2))
        coming(title="First one", starts_at=NOON + timedelta(days=1))

        page = text_of(visitor.get("/"))

        assert page.index("First one") < page.index("Second one")

    @pytest.mark.parametrize(
        "change",
        [
            {"is_on_sale": False},
            {"starts_at": NOON},
            {"called_off_at": NOON},
        ],
    )
    def test_leaves_out_what_nobody_can_register_for(self, visitor, change):
        coming(title="Out of sight", **change)

        page = text_of(visitor.get("/"))

        assert "Out of sight" not in page
        assert "Nothing is on sale at the moment" in page

    def test_asks_the_database_four_times_however_much_there_is(self, visitor, django_assert_num_queries):
        for _ in range(5):
            coming()

        with django_assert_num_queries(4):
            visitor.get("/")

    def test_leads_on_when_there_is_more_than_fits_on_a_page(self, visitor):
        for _ in range(PER_PAGE + 1):
            coming(city="Lyon")

        first, second = visitor.get("/?city=Lyon"), visitor.get("/?city=Lyon&page=2")

        assert "?city=Lyon&amp;page=2" in first.content.decode()
        assert (text_of(first).count("1–24 of 25 activities"), text_of(second).count("25–25 of 25 activities")) == (
            1,
            1,
        )
        assert second.content.decode().count('class="card"') == 1

    def test_shows_what_is_full_last(self, visitor):
        coming(title="Full one", capacity=0)
        coming(title="Later one", starts_at=NOON + timedelta(days=40))

        page = text_of(visitor.get("/"))

        assert page.index("Later one") < page.index("Full one")

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ({"q": "THÉÂTRE"}, {"Theatre"}),
            ({"q": "theatre atelier"}, {"Theatre"}),
            ({"q": "bols"}, {"Pots"}),
            ({"city": "Lyon"}, {"Theatre", "Choir"}),
            ({"month": "2026-04"}, {"Theatre", "Pots"}),
            ({"month": "2026-05", "city": "Lyon"}, {"Choir"}),
            ({"free": "1"}, {"Choir"}),
            ({"places": "1"}, {"Theatre", "Choir"}),
            ({"q": "nothing of the kind"}, set()),
            ({"month": "9999-99", "city": " "}, {"Theatre", "Choir", "Pots"}),
        ],
    )
    def test_finds_what_is_looked_for(self, visitor, query, shown):
        april, may = NOON + timedelta(days=40), NOON + timedelta(days=70)
        coming(title="Theatre", summary="Atelier de théâtre", city="Lyon", starts_at=april)
        coming(title="Choir", city="Lyon", price=0, starts_at=may)
        pots = {"fr": {"title": "Bols", "summary": "Tourner des bols"}}
        coming(title="Pots", city="Vienne", capacity=0, translations=pots, starts_at=april)

        page = text_of(visitor.get("/", query))

        assert {title for title in ("Theatre", "Choir", "Pots") if title in page} == shown
        assert ("Nothing matches what you are looking for" in page) is (not shown)

    def test_says_each_thing_in_the_language_of_the_reader(self, visitor):
        coming(title="Pots", translations={"fr": {"title": "Bols"}})

        assert "Bols" in text_of(visitor.get("/", headers={"accept-language": "fr"}))
        assert "Pots" in text_of(visitor.get("/"))

    @pytest.mark.parametrize("page", ["0", "-1", "x", "", "²", "9" * 30])
    def test_takes_an_odd_page_for_the_first(self, visitor, page):
        coming(title="On the first page")

        assert "On the first page" in text_of(visitor.get("/", {"page": page}))

    def test_shows_what_an_organizer_wrote_as_text(self, visitor):
        coming(title="<script>alert(1)</script>")

        assert "<script>" not in visitor.get("/").content.decode()


class TestEveryPage:
    def test_is_in_the_language_of_the_browser_until_another_is_chosen(self, client):
        assert '<html lang="fr">' in client.get("/", HTTP_ACCEPT_LANGUAGE="fr").content.decode()

        response = client.post(
            "/i18n/setlang/", {"language": "en", "next": "/"}, follow=True, HTTP_ACCEPT_LANGUAGE="fr"
        )

        assert '<html lang="en">' in response.content.decode()

    @pytest.mark.parametrize(("livemode", "is_shown"), [(False, True), (True, False)])
    def test_says_whether_it_is_a_test(self, visitor, settings, livemode, is_shown):
        settings.STRIPE_LIVEMODE = livemode

        for address in ("/", "/nowhere"):
            assert ("TEST" in text_of(visitor.get(address))) is is_shown

    def test_is_called_by_who_sells(self, visitor, settings):
        settings.SELLER_NAME = "Maison des arts"

        assert "Maison des arts" in text_of(visitor.get("/"))

    def test_loads_nothing_from_elsewhere_and_has_no_inline_script_or_style(self, visitor):
        coming()

        for address in ("/", "/nowhere"):
            page = visitor.get(address).content.decode()
            assert not [thing for thing in ("<script", "<style", "style=", "onclick", 'src="http') if thing in page]
