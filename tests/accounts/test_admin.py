"""The people's screen: accounts are made and switched off, and nobody gives himself rights."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.support.factories import UserFactory, make_staff

ADD = reverse("admin:accounts_user_add")
PASSWORD = "correct-horse-battery"
NEW_PASSWORD = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}


def change_page(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


@pytest.fixture
def boss(db):
    return make_staff(email="boss@example.com")


@pytest.fixture
def page(boss):
    client = Client(headers={"accept-language": "en"})
    client.force_login(boss)
    return client


@pytest.fixture
def clerk(db):
    """May change people, but not do everything."""
    user = UserFactory(email="clerk@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


@pytest.fixture
def clerks_page(clerk):
    client = Client()
    client.force_login(clerk)
    return client


class TestAdd:
    def test_makes_a_person_who_can_sign_in(self, page, client):
        page.post(ADD, {"email": "New.Person@Example.com", **NEW_PASSWORD})

        user = User.objects.get(email="new.person@example.com")
        assert user.check_password(PASSWORD)
        assert not user.is_staff

    def test_says_when_the_address_is_taken_in_another_spelling(self, page, boss):
        response = page.post(ADD, {"email": "BOSS@example.com", **NEW_PASSWORD})

        assert "already exists" in response.content.decode()
        assert User.objects.count() == 1


class TestChange:
    def test_edits_the_person(self, page, clerk):
        page.post(change_page(clerk), {"email": clerk.email, "name": "Kim", "language": "en", "is_active": "on"})

        clerk.refresh_from_db()
        assert (clerk.name, clerk.language, clerk.is_staff) == ("Kim", "en", False)

    @pytest.mark.parametrize(("email", "is_confirmed"), [("clerk@example.com", True), ("moved@example.com", False)])
    def test_calls_another_address_one_that_nobody_has_confirmed(self, page, clerk, email, is_confirmed):
        User.objects.update(email_confirmed_at=clerk.date_joined)

        page.post(change_page(clerk), {"email": email, "name": "Kim", "language": "en", "is_active": "on"})

        clerk.refresh_from_db()
        assert clerk.email == email
        assert (clerk.email_confirmed_at is not None) is is_confirmed

    def test_gives_no_rights_when_sent_by_somebody_who_has_not_all(self, clerks_page, clerk):
        fields = {"email": clerk.email, "name": "Kim", "language": "fr", "is_active": "on"}

        clerks_page.post(change_page(clerk), {**fields, "is_superuser": "on", "is_staff": "on"})

        clerk.refresh_from_db()
        assert clerk.name == "Kim"
        assert not clerk.is_superuser

    def test_leaves_those_alone_who_may_do_more(self, clerks_page, boss):
        password = reverse("admin:auth_user_password_change", args=[boss.pk])

        assert clerks_page.post(change_page(boss), {"email": "mine@example.com"}).status_code == 403
        answer = clerks_page.post(password, NEW_PASSWORD)

        assert answer.status_code == 403
        boss.refresh_from_db()
        assert boss.email == "boss@example.com"
        assert not boss.check_password(PASSWORD)

    def test_sets_another_password_for_those_who_lost_theirs(self, page, clerk):
        url = reverse("admin:auth_user_password_change", args=[clerk.pk])

        page.post(url, NEW_PASSWORD)

        clerk.refresh_from_db()
        assert clerk.check_password(PASSWORD)

    def test_has_no_field_without_a_label(self, page, clerk):
        content = page.get(change_page(clerk)).content.decode()

        assert "date_joined_0" not in content
        assert "last_login_0" not in content


class TestDelete:
    def test_is_not_offered(self, page, clerk):
        assert page.post(reverse("admin:accounts_user_delete", args=[clerk.pk]), {"post": "yes"}).status_code == 403

        assert User.objects.filter(pk=clerk.pk).exists()
