import pytest
from django.test import Client

from registrations.models import Registration
from tests.support.factories import RegistrationFactory
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

CAMILLE = {"username": "Camille@Example.com", "password": "password"}
WRONG = "The e-mail address or the password is wrong."


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


class TestSignInPage:
    def test_leads_to_the_account(self, visitor, camille):
        response = visitor.post("/account/sign-in/", CAMILLE)

        assert (response.status_code, response.url) == (302, "/account/")
        assert is_signed_in(visitor)

    @pytest.mark.parametrize("change", [{"password": "wrong"}, {"username": "nobody@example.com"}])
    def test_never_tells_which_of_both_is_wrong(self, visitor, camille, change):
        response = visitor.post("/account/sign-in/", CAMILLE | change)

        assert response.status_code == 400
        assert text_of(response).count(WRONG) == 2
        assert not is_signed_in(visitor)

    @pytest.mark.parametrize("who", ["closed", "begun"])
    def test_refuses_who_is_switched_off_or_has_no_password_with_the_same_words(self, visitor, who, request):
        user = request.getfixturevalue(who)

        response = visitor.post("/account/sign-in/", {"username": user.email, "password": "password"})

        assert WRONG in text_of(response)
        assert not is_signed_in(visitor)

    def test_goes_on_to_the_page_that_asked_for_it(self, visitor, camille):
        asked = visitor.get("/account/password/").url

        response = visitor.post(asked, CAMILLE)

        assert asked == "/account/sign-in/?next=/account/password/"
        assert response.url == "/account/password/"

    @pytest.mark.parametrize(
        "next_page",
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///evil.example"],
    )
    def test_never_leads_to_another_site(self, visitor, camille, next_page):
        by_address = visitor.post(f"/account/sign-in/?next={next_page}", CAMILLE)
        visitor.logout()
        by_form = visitor.post("/account/sign-in/", {**CAMILLE, "next": next_page})

        assert (by_address.url, by_form.url) == ("/account/", "/account/")

    def test_does_not_go_round_in_circles(self, signed_in):
        assert signed_in.get("/account/sign-in/?next=/account/sign-in/?next=x").url == "/account/"

    def test_gives_the_session_another_key(self, visitor, camille):
        session = visitor.session
        session["planted"] = "by somebody who knows the key"
        session.save()
        before = session.session_key

        visitor.post("/account/sign-in/", CAMILLE)

        assert visitor.session.session_key != before
        assert not visitor.session.exists(before)

    def test_counts_the_tries_of_a_client(self, visitor, camille):
        wrong = CAMILLE | {"password": "guessed"}

        answers = [visitor.post("/account/sign-in/", wrong).status_code for _ in range(6)]

        assert answers == [400] * 5 + [429]
        assert visitor.post("/account/sign-in/", CAMILLE).status_code == 429

    def test_needs_the_token_of_its_own_form(self, camille):
        browser = Client(enforce_csrf_checks=True)

        assert browser.post("/account/sign-in/", CAMILLE).status_code == 403

    def test_brings_what_the_confirmation_has_missed(self, visitor, camille):
        missed = RegistrationFactory(email=camille.email)

        visitor.post("/account/sign-in/", CAMILLE)

        assert Registration.objects.get(pk=missed.pk).user == camille

    def test_brings_nothing_to_an_address_that_nobody_has_confirmed(self, visitor, camille):
        camille.email_confirmed_at = None
        camille.save()
        guest = RegistrationFactory(email=camille.email)

        visitor.post("/account/sign-in/", CAMILLE)

        assert Registration.objects.get(pk=guest.pk).user is None


class TestSignOutPage:
    def test_ends_the_session_and_says_so(self, signed_in):
        response = signed_in.post("/account/sign-out/", follow=True)

        assert "You are signed out." in text_of(response)
        assert not is_signed_in(signed_in)

    def test_is_no_link(self, signed_in):
        assert signed_in.get("/account/sign-out/").status_code == 405
        assert is_signed_in(signed_in)

    def test_never_leads_to_another_site(self, signed_in):
        response = signed_in.post("/account/sign-out/", {"next": "https://evil.example/"})

        assert response.url == "/account/sign-in/?signed-out"


class TestHeader:
    def test_leads_to_signing_in_or_to_the_account(self, visitor, camille):
        assert "Sign in" in text_of(visitor.get("/"))

        visitor.force_login(camille)

        page = text_of(visitor.get("/"))
        assert "Your account" in page
        assert "Sign in" not in page

    def test_is_kept_by_no_shared_cache(self, signed_in):
        assert "private" in signed_in.get("/")["Cache-Control"]
        assert "Cookie" in signed_in.get("/")["Vary"]

    def test_asks_the_database_nothing_about_who_is_not_signed_in(self, visitor, db, django_assert_num_queries):
        with django_assert_num_queries(0):
            visitor.get("/account/sign-in/")
