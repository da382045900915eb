"""`manage.py incident`: what it asks, says and refuses."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from payments.incidents import closing
from payments.incidents.models import Incident
from payments.ledger.models import HeldType
from payments.orders.models import Order
from tests.support.fake_gateway import unavailable
from tests.support.incidents import account_with_endpoint
from tests.support.road import event_of, hear

pytestmark = pytest.mark.django_db
OPEN = ("open", "--reason", "Orders stay unpaid", "--yes")


@pytest.fixture(autouse=True)
def stripe(settings, monkeypatch):
    return account_with_endpoint(settings, monkeypatch)


def told(*arguments):
    out = io.StringIO()
    call_command("incident", *arguments, stdout=out)
    return out.getvalue()


class TestOpen:
    def test_says_what_it_does_and_does_it(self):
        said = told(*OPEN, "--by", "ada", "--pause-sales", "--hold-processing", "--disable-endpoints")

        incident = Incident.objects.get()
        assert (incident.opened_by, incident.pauses_sales, incident.held) == ("ada", True, ["*"])
        assert "All events are set aside" in said
        assert f"Incident {incident.pk} is open." in said

    def test_holds_some_types_only(self):
        told(*OPEN, "--hold", "charge.refunded", "invoice.paid", "--ends", "2099-01-01 18:00")

        assert set(HeldType.objects.values_list("pk", flat=True)) == {"charge.refunded", "invoice.paid"}
        assert Incident.objects.get().ends_at.isoformat() == "2099-01-01T17:00:00+00:00"

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("open", "--reason", "x", "--yes", "--hold", "nonsense"), "nonsense is no event type"),
            (("open", "--reason", " ", "--yes"), "needs a reason"),
            (("open", "--reason", "x", "--yes", "--ends", "soon"), "is no moment such as"),
            (("open", "--reason", "x", "--yes", "--ends", "2020-01-01 10:00"), "lies in the past"),
            (("open", "--yes"), "--reason"),
            (("open", "--reason", "x", "--yes", "--hold-processing", "--hold", "invoice.paid"), "not allowed with"),
            (("open", "--reason", "x"), "Nobody is there to ask"),
            (("close", "--yes"), "No incident is open."),
        ],
    )
    def test_refuses_what_makes_no_sense(self, arguments, why):
        with pytest.raises(CommandError, match=why):
            told(*arguments)

        assert not Incident.objects.exists()


class TestStatus:
    def test_of_a_site_without_incidents(self):
        assert told("status") == "No incident is open, and there has been none.\n"
        assert json.loads(told("status", "--json")) is None

    def test_tells_what_is_switched_and_how_things_stand(self, registration):
        told(*OPEN, "--pause-sales", "--hold-processing")
        hear(event_of(registration, "checkout.session.completed"))

        said, as_json = told("status"), json.loads(told("status", "--json"))

        assert "Open. Orders stay unpaid" in said
        assert "sales paused" in said
        assert "held back: all events" in said
        assert (as_json["state"], as_json["is_selling"], as_json["now"]["held"]) == ("OPEN", False, 1)


class TestClose:
    def test_goes_through_its_steps_and_prints_the_report(self, registration):
        told(*OPEN, "--hold-processing")
        hear(event_of(registration, "checkout.session.completed"))

        said = told("close", "--yes", "--reason", "repaired")

        assert "process what waits, the oldest first: 1 of 1" in said
        assert "Closed. Orders stay unpaid" in said
        assert "Found by the back-fill" in said
        assert Order.objects.get().status == "PAID"
        assert "closed" in told("status")

    def test_that_is_cut_short_says_so_and_goes_on_when_it_is_said_again(self, monkeypatch):
        told(*OPEN)

        def broken(**_options):
            raise unavailable()

        with monkeypatch.context() as patch:
            patch.setattr(closing, "backfill", broken)
            with pytest.raises(CommandError, match="Not closed yet: Stripe is not"):
                told("close", "--yes")
        assert "cut short: Stripe is not available" in told("status")

        told("close", "--yes")

        assert Incident.objects.get().state == "CLOSED"
