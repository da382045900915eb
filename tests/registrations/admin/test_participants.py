"""The participants of an activity: as a table that no spreadsheet runs, and as a list for the door."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.support.factories import RegistrationFactory, UserFactory
from tests.support.pages import text_of
from tests.support.road import event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(activity, make_registration):
    """Zoé has paid, Ali waits for payment, somebody wrote a formula, and Max's time is over."""
    paid, over = make_registration("Zoé Martin"), make_registration("Max Meyer")
    make_registration("ali Benali")
    hear(event_of(paid, "checkout.session.completed"), event_of(over, "checkout.session.expired"))
    RegistrationFactory(activity=activity, name='=HYPERLINK("http://x")', email="formula@example.com")
    return activity


def address(activity, name="export"):
    return reverse(f"admin:registrations_activity_{name}", args=[activity.pk])


def table(answer):
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return text.removeprefix("\ufeff")


class TestExport:
    def test_lists_who_holds_a_place_by_name_and_lets_no_spreadsheet_run_what_they_wrote(self, page, people):
        answer = page.get(address(people))

        heads, *rows = csv.reader(io.StringIO(table(answer)))
        assert heads == ["Number", "Name", "E-mail", "State", "Amount", "Registered", "Registration"]
        assert [(row[1], row[2], row[3]) for row in rows] == [
            ('\'=HYPERLINK("http://x")', "formula@example.com", "Waiting for payment"),
            ("ali Benali", "ali.benali@example.com", "Waiting for payment"),
            ("Zoé Martin", "zoé.martin@example.com", "Paid"),
        ]
        assert rows[2][4].replace("\N{NO-BREAK SPACE}", " ") == "€49.00"
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert f'filename="{people.slug}-' in answer["Content-Disposition"]

    def test_is_separated_as_french_spreadsheets_expect_it(self, page, people):
        text = table(page.get(address(people), headers={"accept-language": "fr"}))

        assert text.splitlines()[0] == "Numéro;Nom;E-mail;État;Montant;Inscription;Identifiant"


class TestDoor:
    def test_has_a_box_a_name_a_number_and_what_is_still_to_pay(self, page, people):
        answer = page.get(address(people, "door"))

        text = text_of(answer)
        assert f"Zoé Martin {people.registrations.get(name='Zoé Martin').order.number} Paid" in text
        assert "ali Benali" in text
        assert "Waiting for payment · €49.00" in text
        assert "Max Meyer" not in text
        assert "3 participants of 10" in text
        assert answer.content.decode().count("door-tick") == 3

    def test_says_when_nobody_has_a_place(self, page, activity):
        assert "Nobody has a place yet." in text_of(page.get(address(activity, "door")))


class TestRights:
    @pytest.mark.parametrize(
        ("rights", "seen"),
        [
            (["view_personal_data"], {"door": 403, "export": 403}),
            (["view_personal_data", "print_participants"], {"door": 200, "export": 403}),
            (["view_personal_data", "export_participants"], {"door": 403, "export": 200}),
            (["print_participants", "export_participants"], {"door": 403, "export": 403}),
        ],
    )
    def test_are_one_each_and_people_in_full(self, activity, rights, seen):
        user = UserFactory(is_staff=True)
        rights = ["view_activity", *rights]
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        page = Client(headers={"accept-language": "en"})
        page.force_login(user)

        assert {name: page.get(address(activity, name)).status_code for name in seen} == seen
        own = page.get(reverse("admin:registrations_activity_change", args=[activity.pk])).content.decode()
        assert {name: 200 if address(activity, name) in own else 403 for name in seen} == seen
