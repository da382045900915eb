"""The people's screen: accounts are made and switched off, and nobody gives himself rights."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.admin import right_in_words
from accounts.models import User
from tests.support.factories import UserFactory, make_staff

ADD, LIST = reverse("admin:accounts_user_add"), reverse("admin:accounts_user_changelist")
PASSWORD = "correct-horse-battery"
NEW_PASSWORD = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}


def change_page(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def password_page(user):
    return reverse("admin:auth_user_password_change", args=[user.pk])


def group_page(what, *group):
    return reverse(f"admin:auth_group_{what}", args=[each.pk for each in group])


def form_of(user):
    return {"email": user.email, "name": user.name, "language": user.language, "is_active": "on", "reason": "asked"}


def permission():
    return Permission.objects.get(codename="add_refund", content_type__app_label="payments")


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
    """Has every right on people and groups, but may not do everything."""
    user = UserFactory(email="clerk@example.com", is_staff=True)
    about = ("user", "group", "permission")
    user.user_permissions.set(Permission.objects.filter(content_type__model__in=about))
    return user


@pytest.fixture
def customer(db):
    return UserFactory(email="customer@example.com")


@pytest.fixture
def colleague(db):
    return UserFactory(email="colleague@example.com", is_staff=True)


@pytest.fixture
def former_boss(db):
    return UserFactory(email="former@example.com", is_superuser=True, is_active=False)


@pytest.fixture
def former_colleague(db):
    """May not enter the admin any more; the right is still there."""
    user = UserFactory(email="gone@example.com")
    user.user_permissions.add(permission())
    return user


@pytest.fixture
def sales(db):
    return Group.objects.create(name="Sales")


@pytest.fixture
def member(sales):
    user = UserFactory(email="member@example.com")
    user.groups.add(sales)
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

    def test_gives_no_rights(self, clerks_page):
        clerks_page.post(ADD, {"email": "new@example.com", **NEW_PASSWORD, "is_superuser": "on", "is_staff": "on"})

        assert not User.objects.get(email="new@example.com").has_any_rights

    def test_says_when_the_address_is_taken_in_another_spelling(self, page, boss):
        response = page.post(ADD, {"email": "BOSS@example.com", **NEW_PASSWORD})

        assert "already exists" in response.content.decode()
        assert User.objects.count() == 1


class TestChange:
    def test_edits_the_person(self, page, clerk):
        page.post(
            change_page(clerk),
            {"email": clerk.email, "name": "Kim", "language": "en", "is_active": "on", "reason": "asked"},
        )

        clerk.refresh_from_db()
        assert (clerk.name, clerk.language, clerk.is_staff) == ("Kim", "en", False)

    @pytest.mark.parametrize(("email", "is_confirmed"), [("clerk@example.com", True), ("moved@example.com", False)])
    def test_calls_another_address_one_that_nobody_has_confirmed(self, page, clerk, email, is_confirmed):
        User.objects.update(email_confirmed_at=clerk.date_joined)

        page.post(
            change_page(clerk), {"email": email, "name": "Kim", "language": "en", "is_active": "on", "reason": "asked"}
        )

        clerk.refresh_from_db()
        assert clerk.email == email
        assert (clerk.email_confirmed_at is not None) is is_confirmed

    def test_gives_nobody_rights_when_sent_by_somebody_who_has_not_all(self, clerks_page, customer, sales):
        rights = {"is_superuser": "on", "is_staff": "on", "groups": sales.pk, "user_permissions": permission().pk}

        clerks_page.post(change_page(customer), {**form_of(customer), "name": "Kim", **rights})

        customer.refresh_from_db()
        assert customer.name == "Kim"
        assert not customer.has_any_rights

    @pytest.mark.parametrize("who", ["boss", "clerk", "colleague", "former_boss", "former_colleague", "member"])
    def test_leaves_those_alone_who_have_any_rights(self, clerks_page, who, request):
        person = request.getfixturevalue(who)
        before = User.objects.values().get(pk=person.pk)
        changed = form_of(person) | {"email": "mine@example.com", "is_active": ""}

        answers = [
            clerks_page.post(change_page(person), changed),
            clerks_page.post(password_page(person), NEW_PASSWORD),
            clerks_page.post(password_page(person), {"usable_password": "false", "unset-password": "1"}),
            clerks_page.post(reverse("admin:accounts_user_delete", args=[person.pk]), {"post": "yes"}),
        ]

        assert [answer.status_code for answer in answers] == [403] * 4
        assert User.objects.values().get(pk=person.pk) == before

    def test_shows_nobody_what_a_password_is_kept_as(self, clerks_page, boss):
        page = clerks_page.get(change_page(boss))

        assert page.status_code == 200
        assert boss.password.rpartition("$")[2] not in page.content.decode()

    def test_lets_a_superuser_give_rights(self, page, customer, sales):
        page.post(change_page(customer), {**form_of(customer), "is_staff": "on", "groups": sales.pk})

        customer.refresh_from_db()
        assert customer.is_staff
        assert list(customer.groups.all()) == [sales]

    def test_sets_another_password_for_those_who_lost_theirs(self, page, clerk):
        page.post(password_page(clerk), NEW_PASSWORD)

        clerk.refresh_from_db()
        assert clerk.check_password(PASSWORD)

    def test_has_no_field_without_a_label(self, page, clerk):
        content = page.get(change_page(clerk)).content.decode()

        assert "date_joined_0" not in content
        assert "last_login_0" not in content


class TestList:
    @pytest.mark.parametrize("action", ["delete_selected", "make_superuser"])
    def test_has_no_action_that_changes_people(self, clerks_page, boss, action):
        before = User.objects.values().get(pk=boss.pk)

        clerks_page.post(LIST, {"action": action, "_selected_action": boss.pk, "post": "yes"})
        clerks_page.post(LIST, {"form-0-id": boss.pk, "form-0-is_active": "", "_save": "Save", "form-TOTAL_FORMS": 1})

        assert User.objects.values().get(pk=boss.pk) == before


class TestGroups:
    def test_are_changed_by_superusers(self, page, sales):
        page.post(group_page("change", sales), {"name": "Sales", "permissions": permission().pk})

        assert list(sales.permissions.all()) == [permission()]

    @pytest.mark.parametrize("what", ["add", "change", "delete"])
    def test_are_changed_by_nobody_else(self, clerks_page, sales, what):
        address = group_page(what, *([sales] if what != "add" else []))

        answer = clerks_page.post(address, {"name": "Mine", "permissions": permission().pk, "post": "yes"})

        assert answer.status_code == 403
        assert not sales.permissions.exists()
        assert set(Group.objects.values_list("name", flat=True)) == {"Sales", *settings.STAFF_GROUPS}

    def test_are_not_deleted_from_the_list_either(self, clerks_page, sales):
        address = reverse("admin:auth_group_changelist")

        clerks_page.post(address, {"action": "delete_selected", "_selected_action": sales.pk, "post": "yes"})

        assert Group.objects.filter(pk=sales.pk).exists()


class TestDelete:
    def test_is_not_offered(self, page, clerk):
        assert page.post(reverse("admin:accounts_user_delete", args=[clerk.pk]), {"post": "yes"}).status_code == 403

        assert User.objects.filter(pk=clerk.pk).exists()


@pytest.mark.django_db
class TestRights:
    @pytest.mark.parametrize(
        ("codename", "english", "french"),
        [
            ("refund_order", "Orders: can refund orders", "Commandes : peut rembourser les commandes"),
            ("view_order", "Orders: may look at", "Commandes : peut consulter"),
        ],
    )
    def test_are_offered_in_the_words_of_the_reader(self, client, codename, english, french):
        client.force_login(make_staff())
        group = Group.objects.create(name="Cashiers")

        for language, words in (("en", english), ("fr", french)):
            address = reverse("admin:auth_group_change", args=[group.pk])
            page = client.get(address, headers={"accept-language": language})
            assert words in page.content.decode()

    def test_of_every_act_of_ours_have_french_words(self):
        with translation.override("fr"):
            untold = [right.name for right in Permission.objects.filter(name__startswith="Can ") if _is_english(right)]

        assert untold == []


def _is_english(right):
    return ": can " in right_in_words(right)
