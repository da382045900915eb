import pytest

from accounts.language import MOST_TYPED, TYPED_COOKIE
from tests.accounts.links import path_in_mail

pytestmark = pytest.mark.django_db
SIGN_UP = "/account/sign-up/"
CHOICE = {"language": "fr", "back": SIGN_UP}


class TestSetLanguage:
    def test_keeps_what_was_typed_but_no_password(self, visitor):
        typed = {"name": "Zoë <Martin>", "email": "zoe@example.com", "password": "secret"}

        response = visitor.post("/i18n/setlang/", {**CHOICE, **typed}, follow=True)

        page = response.content.decode()
        assert 'lang="fr"' in page
        assert 'value="Zoë &lt;Martin&gt;"' in page
        assert 'value="zoe@example.com"' in page
        assert "secret" not in page

    def test_shows_it_on_that_page_only_and_not_for_long(self, visitor, time_machine):
        visitor.post("/i18n/setlang/", {**CHOICE, "email": "zoe@example.com"})
        assert visitor.cookies[TYPED_COOKIE]["path"] == SIGN_UP

        time_machine.shift(61)

        assert "zoe@example.com" not in visitor.get(SIGN_UP).content.decode()

    def test_keeps_nothing_that_is_too_long_for_a_cookie(self, visitor):
        text = "".join(chr(0x4E00 + n) for n in range(MOST_TYPED))

        visitor.post("/i18n/setlang/", {**CHOICE, "name": text})

        assert TYPED_COOKIE not in visitor.cookies

    def test_is_the_language_of_the_account_too(self, signed_in, camille):
        signed_in.post("/i18n/setlang/", CHOICE)

        camille.refresh_from_db()
        assert camille.language == "fr"

    @pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil", ""])
    def test_never_leads_to_another_site(self, visitor, back):
        assert visitor.post("/i18n/setlang/", {**CHOICE, "back": back})["Location"] == "/"

    def test_knows_only_languages_that_the_site_speaks(self, visitor):
        visitor.post("/i18n/setlang/", {**CHOICE, "language": "tlh"})

        assert "django_language" not in visitor.cookies


class TestNext:
    def test_goes_along_from_door_to_door_and_in_the_mail(self, visitor):
        page = visitor.get("/account/sign-in/?next=/plans/yearly/").content.decode()
        assert 'href="/account/sign-up/?next=/plans/yearly/"' in page
        assert 'href="/account/link/?next=/plans/yearly/"' in page

        visitor.post(f"{SIGN_UP}?next=/plans/yearly/", {"name": "Zoë", "email": "zoe@example.com"})
        path = path_in_mail()
        opened = visitor.get(path, follow=True)
        password = {"new_password1": "a-quite-new-password", "new_password2": "a-quite-new-password"}
        done = visitor.post(opened.redirect_chain[-1][0], password)

        assert (done.status_code, done["Location"]) == (303, "/plans/yearly/")

    @pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example", "/" + "x" * 300])
    def test_leads_nowhere_else(self, visitor, next_path):
        visitor.post(f"{SIGN_UP}?next={next_path}", {"name": "Zoë", "email": "zoe@example.com"})

        assert "next" not in path_in_mail()
