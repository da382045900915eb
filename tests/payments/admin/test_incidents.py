"""The screen of incidents."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry

from payments.admin.kit.display import page_of
from payments.incidents.models import Incident
from payments.ledger.models import HeldType
from tests.support.factories import UserFactory, make_staff
from tests.support.fake_gateway import unavailable
from tests.support.incidents import account_with_endpoint, closed, opened
from tests.support.pages import text_of
from tests.support.road import NOON

pytestmark = pytest.mark.django_db
ADD = "/admin/payments/incident/add/"


@pytest.fixture(autouse=True)
def stripe(settings, monkeypatch):
    return account_with_endpoint(settings, monkeypatch)


@pytest.fixture
def boss(client):
    client.force_login(make_staff(email="boss@example.com"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


class TestOpening:
    def test_throws_the_switches_and_keeps_who_and_why(self, boss, stripe):
        asked = {
            "reason": "Orders stay unpaid",
            "pause_sales": "on",
            "hold_processing": "on",
            "disable_endpoints": "on",
        }

        response = boss.post(ADD, asked)

        incident = Incident.objects.get()
        assert response.url == page_of(incident)
        assert (incident.opened_by, incident.pauses_sales, incident.held) == ("boss@example.com", True, ["*"])
        assert stripe.endpoints[0]["status"] == "disabled"
        assert "Orders stay unpaid" in LogEntry.objects.get().change_message

    def test_says_on_the_form_what_stands_against_it_and_keeps_what_was_typed(self, boss, stripe):
        stripe.trouble = unavailable()

        response = boss.post(ADD, {"reason": "Orders stay unpaid", "disable_endpoints": "on"})

        assert not Incident.objects.exists()
        assert "Open the incident without that." in text_of(response)
        assert 'value="Orders stay unpaid"' in response.content.decode()

    def test_needs_a_reason(self, boss):
        assert "This field is required." in text_of(boss.post(ADD, {"pause_sales": "on"}))
        assert not HeldType.objects.exists()

    def test_needs_its_right(self, client):
        client.force_login(UserFactory.create(is_staff=True))

        assert client.get(ADD).status_code == 403


class TestPage:
    def test_shows_what_was_then_and_is_now(self, boss):
        page = text_of(boss.get(page_of(opened(hold=("invoice.paid",), ends_in=timedelta(hours=1)))))

        assert "Held back: invoice.paid" in page
        assert "Events processed, last 24 hours 0 0" in page

    def test_loads_itself_anew_while_it_is_being_closed(self, boss):
        incident = opened()
        Incident.objects.update(state="CLOSING", step="drain", to_drain=40, drained=10)

        response = boss.get(page_of(incident))

        assert response["Refresh"] == "3"
        assert "process what waits, the oldest first 10 of 40" in text_of(response)

    def test_of_the_hold_of_all_events_can_be_opened_too(self, boss):
        opened(hold=("*",))

        page = text_of(boss.get(page_of(HeldType.objects.get())))

        assert "ada: Orders stay unpaid" in page
        assert "Release…" in page
        assert "All events are held back, 0 are waiting" in text_of(boss.get("/admin/"))

    def test_shows_the_report(self, boss):
        opened()
        response = boss.get(page_of(closed(at=NOON + timedelta(hours=1))))

        assert "Refresh" not in response
        assert "Found by the back-fill 0" in text_of(response)
