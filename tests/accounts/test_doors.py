"""Where a password is tried: the site's door and the admin's count together, for the client and for the account."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher

from tests.support.factories import NOON, UserFactory, make_staff
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db
SITE, ADMIN = "/account/sign-in/", "/admin/login/"
WRONG = "The e-mail address or the password is wrong."
DOORS = pytest.mark.parametrize("door", [SITE, ADMIN])


@pytest.fixture
def boss(db):
    return make_staff(email="boss@example.com", email_confirmed_at=NOON)


@pytest.fixture
def hashed(monkeypatch):
    """Each password that was hashed."""
    passwords = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, password, salt: passwords.append(password) or encode(self, password, salt),
    )
    return passwords


def knock(visitor, door, *, username="boss@example.com", password="wrong", address="203.0.113.7"):
    return visitor.post(door, {"username": username, "password": password}, REMOTE_ADDR=address)


class TestTriesAPassword:
    @DOORS
    def test_lets_in_who_knows_it(self, visitor, boss, door):
        response = knock(visitor, door, password="password")

        assert response.status_code == 302
        assert "_auth_user_id" in visitor.session

    @DOORS
    def test_says_the_same_words_at_both(self, visitor, boss, door):
        assert WRONG in text_of(knock(visitor, door))

    def test_lets_no_customer_into_the_admin_and_says_nothing_else(self, visitor, camille):
        response = knock(visitor, ADMIN, username=camille.email, password="password")

        assert WRONG in text_of(response)
        assert "_auth_user_id" not in visitor.session

    @DOORS
    def test_counts_a_client_at_both_whomever_it_names(self, visitor, boss, door):
        for n in range(5):
            knock(visitor, ADMIN if door == SITE else SITE, username=f"person{n}@example.com")

        refused = knock(visitor, door, password="password")

        assert (refused.status_code, refused["Retry-After"]) == (429, "900")
        assert "You have tried too often. Try again in 15 minutes." in text_of(refused)
        assert "_auth_user_id" not in visitor.session

    @DOORS
    def test_counts_an_account_at_both_whoever_asks_in_whatever_spelling(self, visitor, boss, door):
        spellings = [
            "boss@example.com",
            "BOSS@example.com",
            " boss@EXAMPLE.com",
            "boss@example.com.",
            "boss@ｅxample.com",
        ]
        for n, spelling in enumerate(spellings):
            knock(visitor, ADMIN if door == SITE else SITE, username=spelling, address=f"198.51.100.{n}")

        refused = knock(visitor, door, password="password")

        assert (refused.status_code, refused["Retry-After"]) == (429, "900")

    @DOORS
    def test_hashes_nothing_for_who_is_refused(self, visitor, boss, door, hashed):
        for _ in range(5):
            knock(visitor, door)
        count = len(hashed)

        assert knock(visitor, door).status_code == 429
        assert len(hashed) == count > 0

    @DOORS
    def test_leaves_other_people_alone(self, visitor, boss, camille, door):
        for n in range(6):
            knock(visitor, door, address=f"198.51.100.{n}")

        response = knock(visitor, SITE, username=camille.email, password="password")

        assert response.status_code == 302


class TestChangesAPassword:
    OLD = {"old_password": "guessed", "new_password1": "correct-horse", "new_password2": "correct-horse"}

    @pytest.mark.parametrize("page", ["/account/password/", "/admin/password_change/"])
    def test_counts_the_guesses_of_who_has_found_a_screen_that_was_left_open(self, visitor, boss, page):
        visitor.force_login(boss)
        for n in range(5):
            visitor.post("/account/password/", self.OLD, REMOTE_ADDR=f"198.51.100.{n}")

        refused = visitor.post(page, self.OLD | {"old_password": "password"})

        assert (refused.status_code, refused["Retry-After"]) == (429, "900")
        assert get_user_model().objects.get(pk=boss.pk).check_password("password")

    def test_leaves_other_people_alone(self, visitor, boss, camille):
        visitor.force_login(boss)
        for n in range(6):
            visitor.post("/account/password/", self.OLD, REMOTE_ADDR=f"198.51.100.{n}")
        visitor.force_login(camille)

        assert visitor.post("/account/password/", self.OLD | {"old_password": "password"}).status_code == 302


class TestSpelling:
    def test_of_an_address_makes_no_second_account(self, visitor):
        UserFactory(email="zoe@xn--exmple-cua.com", email_confirmed_at=NOON)

        visitor.post("/account/sign-up/", {"name": "Zoé", "email": "Zoe@Exämple.com."})

        assert get_user_model().objects.count() == 1
