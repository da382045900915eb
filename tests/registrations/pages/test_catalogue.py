from datetime import timedelta

import pytest

from registrations.models import WaitingEntry
from registrations.pages.catalogue import PER_PAGE
from tests.support.factories import ActivityFactory
from tests.support.pages import text_of
from tests.support.road import NOON

pytestmark = pytest.mark.django_db


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

        assert all(words in page for words in ("Poterie & thé", "Lyon", "49.00 EUR", " at "))

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

    def test_asks_the_database_once_however_much_there_is(self, visitor, django_assert_num_queries):
        for _ in range(5):
            coming()

        with django_assert_num_queries(1):
            visitor.get("/")

    def test_leads_on_when_there_is_more_than_fits_on_a_page(self, visitor):
        for _ in range(PER_PAGE + 1):
            coming()

        first, second = visitor.get("/"), visitor.get("/?page=2")

        assert "?page=2" in first.content.decode()
        assert second.content.decode().count('class="card"') == 1

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
