import pytest
from django.core import mail as post
from django.test import Client

from accounts.models import User
from tests.support.mails import sent
from tests.support.pages import text_of
from tests.support.processes import free_port

pytestmark = pytest.mark.django_db

SIGN_UP = {"name": "Camille Martin", "email": "Camille@Example.com"}
WHOSE = ["camille@example.com", "begun@example.com", "closed@example.com", "nobody@example.com"]


@pytest.fixture
def no_mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


class TestSignUpPage:
    def test_begins_an_account_in_the_language_of_the_page(self, visitor):
        response = visitor.post("/account/sign-up/", SIGN_UP)

        assert (response.status_code, response.url) == (303, "/account/sign-up/?sent")
        user = User.objects.get()
        assert (user.email, user.name, user.language) == ("camille@example.com", "Camille Martin", "en")
        assert sent().to == ["camille@example.com"]

    def test_neither_confirms_nor_signs_in(self, visitor):
        visitor.post("/account/sign-up/", SIGN_UP)

        user = User.objects.get()
        assert (user.email_confirmed_at, user.has_usable_password()) == (None, False)
        assert "_auth_user_id" not in visitor.session

    def test_asks_for_no_password_and_takes_none(self, visitor):
        assert 'type="password"' not in visitor.get("/account/sign-up/").content.decode()

        visitor.post("/account/sign-up/", {**SIGN_UP, "password": "chosen-by-a-stranger", "is_staff": "on"})

        user = User.objects.get()
        assert (user.has_usable_password(), user.is_staff) == (False, False)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": ""}, "Please enter your name."),
            ({"email": ""}, "Please enter your e-mail address."),
            ({"email": "camille"}, "Please enter a complete e-mail address"),
            ({"email": "camille@example.com\nBcc: all@example.com"}, "Please enter a complete e-mail address"),
            ({"name": "Camille \u202eevil"}, "The name must be on one line"),
            ({"name": "x" * 201}, "at most 200 characters"),
        ],
    )
    def test_says_what_is_wrong_and_does_nothing(self, visitor, change, words):
        response = visitor.post("/account/sign-up/", SIGN_UP | change)

        page = text_of(response)
        assert response.status_code == 400
        assert "There is a problem" in page
        assert page.count(words) == 2  # in the summary and at the field
        assert not User.objects.exists()
        assert post.outbox == []

    def test_leads_who_is_signed_in_to_the_account(self, signed_in):
        assert signed_in.get("/account/sign-up/").url == "/account/"

    def test_keeps_what_was_typed_when_the_mail_server_is_down(self, visitor, no_mail_server):
        response = visitor.post("/account/sign-up/", SIGN_UP)

        assert response.status_code == 503
        assert "We could not send the e-mail" in text_of(response)
        assert 'value="Camille Martin"' in response.content.decode()

    def test_goes_on_when_the_mail_server_is_back(self, visitor, no_mail_server, settings):
        visitor.post("/account/sign-up/", SIGN_UP)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

        visitor.post("/account/sign-up/", SIGN_UP)

        assert sent().subject == "Confirm your e-mail address"
        assert User.objects.count() == 1


class TestLinkPage:
    def test_sends_the_link(self, visitor, camille):
        response = visitor.post("/account/link/", {"email": "CAMILLE@example.com"})

        assert (response.status_code, response.url) == (303, "/account/link/?sent")
        assert sent().subject == "Choose a new password"

    def test_makes_no_account(self, visitor):
        visitor.post("/account/link/", {"email": "nobody@example.com"})

        assert not User.objects.exists()


@pytest.mark.usefixtures("camille", "begun", "closed")
@pytest.mark.parametrize("address", ["/account/sign-up/", "/account/link/"])
class TestMailPage:
    def test_answers_the_same_whether_or_not_there_is_an_account(self, address):
        answers = []
        for email in WHOSE:
            browser = Client()
            response = browser.post(address, {"name": "Camille", "email": email})
            page = text_of(browser.get(response.url))
            answers.append((response.status_code, response.url, response.content, sorted(response.headers), page))

        assert answers == [answers[0]] * len(WHOSE)
        assert [message.to for message in post.outbox] == [[email] for email in WHOSE]

    def test_fails_the_same_when_the_mail_server_is_down(self, address, no_mail_server):
        answers = {Client().post(address, {"name": "Camille", "email": email}).status_code for email in WHOSE}

        assert answers == {503}

    def test_counts_the_tries_of_a_client(self, visitor, address):
        told = {"name": "Camille", "email": "camille@example.com"}

        answers = [visitor.post(address, told).status_code for _ in range(6)]

        assert answers == [303] * 5 + [429]

    def test_needs_the_token_of_its_own_form(self, address):
        response = Client(enforce_csrf_checks=True).post(address, SIGN_UP)

        assert response.status_code == 403
        assert post.outbox == []

    def test_is_kept_by_no_cache(self, visitor, address):
        assert "no-store" in visitor.get(address)["Cache-Control"]
