import json

import pytest
from django.core import mail as post
from django.test import Client

from accounts.models import User
from tests.accounts.links import path_in_mail
from tests.support.factories import NOON, OrderFactory, UserFactory, make_staff

pytestmark = pytest.mark.django_db
NEW = {"email": "Camille.New@example.com"}


def change_to_new(browser):
    """Asked for and confirmed; the answers to both."""
    asked = browser.post("/account/address/", NEW)
    path = path_in_mail()
    return asked, browser.get(path), browser.post(path)


class TestNewAddress:
    def test_counts_once_its_mailbox_has_confirmed_it_and_tells_the_old_one(self, signed_in, camille):
        asked, opened, done = change_to_new(signed_in)

        assert asked["Location"] == "/account/address/?sent"
        assert "camille.new@example.com" in opened.content.decode()
        assert done["Location"] == "/account/?saved"
        camille.refresh_from_db()
        assert (camille.email, camille.email_confirmed_at) == ("camille.new@example.com", NOON)
        (told,) = post.outbox
        assert (told.to, told.subject) == (["camille@example.com"], "Your e-mail address was changed")

    def test_changes_nothing_when_the_link_is_only_opened(self, signed_in, camille):
        signed_in.post("/account/address/", NEW)

        signed_in.get(path_in_mail())

        camille.refresh_from_db()
        assert camille.email == "camille@example.com"

    def test_brings_what_was_done_as_a_guest_with_it(self, signed_in, camille, make_registration):
        row = make_registration("Camille New")

        change_to_new(signed_in)

        row.refresh_from_db()
        assert row.user == camille

    def test_works_once_and_for_a_day(self, signed_in, camille, time_machine):
        signed_in.post("/account/address/", NEW)
        path = path_in_mail()
        signed_in.post(path)
        assert signed_in.post(path).status_code == 410

        signed_in.post("/account/address/", {"email": "third@example.com"})
        late = [each for each in post.outbox if "third@example.com" in each.to]
        path = late[0].body.split("http://127.0.0.1:8000")[1].split()[0]
        time_machine.shift(25 * 3600)
        assert signed_in.get(path).status_code == 410

    def test_of_another_account_is_told_to_that_mailbox_alone(self, signed_in, camille):
        UserFactory(email="camille.new@example.com")

        response = signed_in.post("/account/address/", NEW)

        assert response["Location"] == "/account/address/?sent"
        assert post.outbox[0].subject == "This e-mail address has an account already"
        camille.refresh_from_db()
        assert camille.email == "camille@example.com"

    def test_that_was_taken_meanwhile_changes_nothing(self, signed_in, camille):
        signed_in.post("/account/address/", NEW)
        path = path_in_mail()
        UserFactory(email="camille.new@example.com")

        assert signed_in.post(path).status_code == 410

    def test_is_asked_for_by_who_is_signed_in(self, visitor):
        assert visitor.post("/account/address/", NEW)["Location"].startswith("/account/sign-in/")


class TestOwnData:
    def test_is_one_file_with_everything_of_oneself(self, signed_in, camille):
        OrderFactory(user=camille, email="camille@example.com")

        response = signed_in.post("/account/data/")

        found = json.loads(response.content)
        assert (found["account"]["email"], len(found["orders"])) == ("camille@example.com", 1)
        assert "attachment" in response["Content-Disposition"]

    def test_is_nobody_elses(self, visitor):
        assert visitor.post("/account/data/")["Location"].startswith("/account/sign-in/")


class TestErasure:
    def test_is_asked_for_once_and_seen_to_by_staff(self, signed_in, camille):
        signed_in.post("/account/erasure/")
        signed_in.post("/account/erasure/")

        camille.refresh_from_db()
        assert camille.erasure_asked_at == NOON
        staff = Client(headers={"accept-language": "en"})
        staff.force_login(make_staff(email="boss@example.com"))
        assert "Camille wants to be erased." in staff.get("/admin/").content.decode()

    def test_can_be_taken_back(self, signed_in, camille):
        signed_in.post("/account/erasure/")
        assert "Our team is seeing to it" in signed_in.get("/account/erasure/").content.decode()

        signed_in.post("/account/erasure/", {"keep": "1"})

        assert not User.objects.filter(erasure_asked_at__isnull=False).exists()
