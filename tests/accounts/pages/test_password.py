from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import mail as post
from django.test import Client
from structlog.testing import capture_logs

from accounts.models import User
from registrations.models import Registration
from tests.accounts.links import NEW, choose, open_link, path_in_mail
from tests.support.factories import NOON, RegistrationFactory
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(visitor, begun):
    """The link that the person gets who has just signed up."""
    visitor.post("/account/link/", {"email": begun.email})
    return path_in_mail()


@pytest.fixture
def camilles_path(visitor, camille):
    """The link of somebody who has forgotten her password."""
    visitor.post("/account/link/", {"email": camille.email})
    return path_in_mail()


def is_refused(browser, path) -> bool:
    response = browser.get(path, follow=True)
    return response.status_code == 410 and "This link does not work any more" in text_of(response)


class TestChoosePasswordPage:
    def test_confirms_the_address_and_signs_in(self, visitor, begun, path):
        response = choose(visitor, path)

        begun.refresh_from_db()
        assert (response.status_code, response.url) == (303, "/account/?password")
        assert begun.email_confirmed_at == NOON
        assert begun.check_password(NEW)
        assert visitor.session["_auth_user_id"] == str(begun.pk)

    def test_does_nothing_when_it_is_only_opened(self, visitor, begun, path):
        for _ in range(3):
            assert begun.email in text_of(visitor.get(path, follow=True))

        begun.refresh_from_db()
        assert (begun.email_confirmed_at, begun.has_usable_password()) == (None, False)
        assert "_auth_user_id" not in visitor.session

    def test_brings_what_was_registered_for_as_a_guest(self, visitor, begun, path):
        guest, other = RegistrationFactory(email=begun.email), RegistrationFactory(email="other@example.com")

        choose(visitor, path)

        owners = dict(Registration.objects.values_list("pk", "user"))
        assert owners == {guest.pk: begun.pk, other.pk: None}

    def test_changes_a_forgotten_password_and_keeps_when_the_address_was_confirmed(
        self, visitor, camille, camilles_path, time_machine
    ):
        time_machine.move_to(NOON + timedelta(hours=1))

        choose(visitor, camilles_path)

        camille.refresh_from_db()
        assert camille.check_password(NEW)
        assert camille.email_confirmed_at == NOON

    def test_signs_everybody_else_out_of_the_account(self, visitor, camille):
        elsewhere = Client()
        elsewhere.force_login(camille)
        visitor.post("/account/link/", {"email": camille.email})

        choose(visitor, path_in_mail())

        assert elsewhere.get("/account/").status_code == 302
        assert visitor.get("/account/").status_code == 200

    def test_gives_the_session_another_key(self, visitor, path):
        open_link(visitor, path)
        before = visitor.session.session_key

        choose(visitor, path)

        assert visitor.session.session_key != before
        assert not visitor.session.exists(before)

    def test_ends_the_session_of_whoever_was_signed_in_before(self, signed_in, begun, path):
        choose(signed_in, path)

        assert signed_in.session["_auth_user_id"] == str(begun.pk)

    @pytest.mark.parametrize(
        ("first", "second", "words"),
        [
            ("short", "", "too short"),
            ("password", "", "too common"),
            ("begun@example.com", "", "too similar"),
            (NEW, "another-password", "didn’t match"),
        ],
    )
    def test_says_what_is_wrong_with_a_password(self, visitor, begun, path, first, second, words):
        response = choose(visitor, path, first, second)

        begun.refresh_from_db()
        assert response.status_code == 400
        assert words in text_of(response)
        assert not begun.has_usable_password()
        assert choose(visitor, path).status_code == 303

    def test_works_once(self, visitor, path):
        choose(visitor, path)

        assert is_refused(Client(headers={"accept-language": "en"}), path)

    def test_works_for_the_first_of_two_browsers(self, visitor, begun, path):
        late = Client()
        form = open_link(late, path)

        choose(visitor, path)
        response = late.post(form, {"new_password1": "by-the-second-one", "new_password2": "by-the-second-one"})

        begun.refresh_from_db()
        assert response.status_code == 410
        assert begun.check_password(NEW)

    def test_works_for_24_hours(self, visitor, path, time_machine):
        time_machine.move_to(NOON + timedelta(hours=24))
        assert not is_refused(visitor, path)

        time_machine.shift(timedelta(seconds=1))
        assert is_refused(visitor, path)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda path: path[:-2] + ("0" if path[-2] != "0" else "1") + "/",
            lambda path: path.replace("_secret_", "1_secret_"),
            lambda path: path.replace("_secret_", ""),
            lambda path: "/account/password/MQ/set-password/",
            lambda path: "/account/password/%C3%A9/x_secret_y/",
            lambda path: "/account/password/OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/x_secret_y/",
        ],
    )
    def test_refuses_what_was_tampered_with(self, visitor, path, spoil):
        assert is_refused(visitor, spoil(path))

    def test_refuses_the_link_of_somebody_else(self, visitor, begun, camille, path):
        camilles = path.split("/")[3]
        visitor.post("/account/link/", {"email": camille.email})
        of_camille = path_in_mail().split("/")[3]

        assert is_refused(visitor, path.replace(f"/{camilles}/", f"/{of_camille}/"))

    def test_refuses_who_was_switched_off_meanwhile(self, visitor, begun, path):
        form = open_link(visitor, path)
        User.objects.update(is_active=False)

        response = visitor.post(form, {"new_password1": NEW, "new_password2": NEW})

        assert response.status_code == 410
        assert is_refused(Client(headers={"accept-language": "en"}), path)

    def test_keeps_its_code_out_of_the_address_that_stays(self, visitor, path):
        code = path.split("/")[-2]

        stays = open_link(visitor, path)

        assert code not in stays
        assert code not in visitor.get(stays).content.decode()

    def test_leaves_no_code_in_logs(self, visitor, path):
        code = path.split("_secret_")[1].strip("/")

        with capture_logs() as lines:
            choose(visitor, path)

        assert [line for line in lines if line["event"] == "http.request"]
        assert code not in repr(lines)

    def test_forgets_its_code_when_it_was_used(self, visitor, path):
        code = path.split("/")[-2]

        choose(visitor, path)

        assert code not in repr([session.get_decoded() for session in Session.objects.all()])

    def test_needs_the_token_of_its_own_form(self, path, begun):
        browser = Client(enforce_csrf_checks=True)
        form = open_link(browser, path)

        assert browser.post(form, {"new_password1": NEW, "new_password2": NEW}).status_code == 403
        begun.refresh_from_db()
        assert not begun.has_usable_password()


class TestChangePasswordPage:
    FORM = {"old_password": "password", "new_password1": NEW, "new_password2": NEW}

    def test_changes_it_and_signs_out_everywhere_else(self, signed_in, camille):
        elsewhere = Client()
        elsewhere.force_login(camille)

        response = signed_in.post("/account/password/", self.FORM, follow=True)

        camille.refresh_from_db()
        assert camille.check_password(NEW)
        assert "Your password is saved" in text_of(response)
        assert elsewhere.get("/account/").status_code == 302

    def test_wants_the_old_one(self, signed_in, camille):
        response = signed_in.post("/account/password/", self.FORM | {"old_password": "guessed"})

        camille.refresh_from_db()
        assert response.status_code == 400
        assert "There is a problem" in text_of(response)
        assert camille.check_password("password")

    def test_counts_the_tries_of_a_client(self, signed_in):
        wrong = self.FORM | {"old_password": "guessed"}

        answers = [signed_in.post("/account/password/", wrong).status_code for _ in range(6)]

        assert answers == [400] * 5 + [429]

    def test_is_for_who_is_signed_in(self, visitor, camille):
        response = visitor.post("/account/password/", self.FORM)

        camille.refresh_from_db()
        assert response.url == "/account/sign-in/?next=/account/password/"
        assert camille.check_password("password")
        assert post.outbox == []
