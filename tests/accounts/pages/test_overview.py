import pytest
from django.test import Client

from accounts.models import User
from tests.support.factories import RegistrationFactory
from tests.support.mails import english_in
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

DOORS = [
    "/account/sign-in/",
    "/account/sign-up/",
    "/account/sign-up/?sent",
    "/account/link/",
    "/account/password/MQ/x/",
]
ROOMS = ["/account/", "/account/?saved", "/account/?password", "/account/password/"]


def english_on(response) -> list[str]:
    """What is not French; the button that leads to the English page is called so in every language."""
    return english_in(text_of(response).replace(" English ", " "))


class TestAccountPage:
    def test_is_for_who_is_signed_in(self, visitor):
        assert visitor.get("/account/").url == "/account/sign-in/?next=/account/"

    def test_shows_the_sections_of_the_apps(self, signed_in, camille):
        RegistrationFactory(user=camille, activity__title="Poterie")

        page = text_of(signed_in.get("/account/"))

        assert "Your registrations" in page
        assert "Poterie" in page
        assert camille.email in page

    def test_is_kept_by_no_cache(self, signed_in):
        assert "no-store" in signed_in.get("/account/")["Cache-Control"]

    def test_asks_who_has_not_confirmed_the_address_to_do_so(self, signed_in, camille):
        assert "not confirmed yet" not in text_of(signed_in.get("/account/"))
        User.objects.update(email_confirmed_at=None)

        assert "Your e-mail address is not confirmed yet" in text_of(signed_in.get("/account/"))

    def test_changes_name_and_language_at_once(self, signed_in, camille):
        response = signed_in.post("/account/", {"name": " Camille   Petit ", "language": "fr"}, follow=True)

        camille.refresh_from_db()
        assert (camille.name, camille.language) == ("Camille Petit", "fr")
        assert '<html lang="fr">' in response.content.decode()

    @pytest.mark.parametrize("change", [{"name": ""}, {"language": "xx"}, {"name": "a\u2028\u202eb"}])
    def test_says_what_is_wrong_and_changes_nothing(self, signed_in, camille, change):
        response = signed_in.post("/account/", {"name": "Other", "language": "fr", **change})

        camille.refresh_from_db()
        assert response.status_code == 400
        assert "There is a problem" in text_of(response)
        assert (camille.name, camille.language) == ("Camille", "en")

    def test_changes_nothing_else(self, signed_in, camille):
        told = {"name": "Camille", "language": "en", "email": "boss@example.com", "is_staff": "on"}

        signed_in.post("/account/", told)

        camille.refresh_from_db()
        assert (camille.email, camille.is_staff) == ("camille@example.com", False)

    def test_shows_a_name_as_text(self, signed_in):
        User.objects.update(name="<script>alert(1)</script>")

        assert "<script>" not in signed_in.get("/account/").content.decode()


class TestEveryPage:
    @pytest.mark.parametrize("language", ["fr", "en"])
    @pytest.mark.parametrize("address", DOORS + ROOMS)
    def test_is_in_one_language(self, camille, language, address):
        browser = Client(headers={"accept-language": language})
        if address in ROOMS:
            browser.force_login(camille)
        RegistrationFactory(user=camille, activity__title="1", name="2")

        response = browser.get(address)

        assert f'<html lang="{language}">' in response.content.decode()
        if language == "fr":
            assert english_on(response) == []

    @pytest.mark.parametrize("language", ["fr", "en"])
    @pytest.mark.parametrize("address", ["/account/sign-in/", "/account/sign-up/", "/account/link/", "/account/"])
    def test_says_in_the_same_language_what_is_wrong(self, camille, language, address):
        browser = Client(headers={"accept-language": language})
        if address in ROOMS:
            browser.force_login(camille)

        response = browser.post(address, {"username": "x@example.com", "password": "x"})

        assert response.status_code == 400
        if language == "fr":
            assert english_on(response) == []

    @pytest.mark.parametrize("address", DOORS + ROOMS)
    def test_loads_nothing_from_elsewhere_and_has_no_inline_script_or_style(self, signed_in, address):
        page = signed_in.get(address, follow=True).content.decode()

        assert not [thing for thing in ("<script", "<style", "style=", "onclick", 'src="http') if thing in page]
