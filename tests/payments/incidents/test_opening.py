from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from payments.effects.models import Effect
from payments.incidents.models import Incident
from payments.incidents.opening import EndpointsLeft, IncidentRefused
from payments.incidents.switches import sales_pause
from payments.ledger.models import HeldType, PaymentEvent
from payments.orders.models import Order
from payments.stripe_api import endpoints
from tests.support.fake_gateway import unavailable
from tests.support.incidents import REASON, opened
from tests.support.road import NOON, event_of, hear
from tests.support.watching import events

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)
PAID = "checkout.session.completed"


class TestOpenIncident:
    def test_keeps_who_why_until_when_and_how_things_stood(self, registration):
        hear(event_of(registration, PAID), at=NOON)
        events(2, at=NOON - AN_HOUR, status="FAILED", next_attempt_at=NOON + AN_HOUR)

        incident = opened(at=NOON, ends_in=AN_HOUR)

        assert (incident.reason, incident.opened_by, incident.ends_at) == (REASON, "ada", NOON + AN_HOUR)
        figures = incident.before
        assert (figures["events"], figures["processed"], figures["failed"], figures["payments"]) == (3, 1, 2, 1)
        assert figures["revenue"] == {"eur": 4900}
        assert {"label": "Places taken", "count": 1} in figures["products"]

    def test_goes_on_receiving_and_processing_unless_told_otherwise(self, registration):
        opened(pause_sales=True)

        [event] = hear(event_of(registration, PAID))

        assert (event.status, Order.objects.get().status) == ("PROCESSED", "PAID")

    def test_holds_all_events_back_and_keeps_them(self, registration):
        opened(hold=("*",))

        [event] = hear(event_of(registration, PAID))

        assert (event.status, event.attempts, Order.objects.get().status) == ("HELD", 0, "PENDING")

    def test_holds_some_types_in_its_own_name_and_leaves_to_others_what_they_hold(self):
        HeldType.objects.create(type="invoice.paid", reason="odd")

        incident = opened(hold=("invoice.paid", "charge.refunded"))

        assert incident.held == ["charge.refunded"]
        rows = HeldType.objects.order_by("type").values_list("type", "incident", "reason")
        assert list(rows) == [("charge.refunded", incident.pk, f"ada: {REASON}"), ("invoice.paid", None, "odd")]

    def test_disables_our_endpoints_and_no_others(self, stripe):
        incident = opened(disable_endpoints=True)

        assert [each.get("status") for each in stripe.endpoints] == ["disabled", None]
        assert incident.endpoints == ["we_1"]

    @pytest.mark.parametrize(
        ("asked", "why"),
        [
            ({"hold": ("no.such.type",)}, "no.such.type is no event type"),
            ({"ends_in": -AN_HOUR}, "The expected end lies in the past."),
        ],
    )
    def test_is_refused_where_it_makes_no_sense_and_switches_nothing(self, asked, why):
        with pytest.raises(IncidentRefused, match=why):
            opened(pause_sales=True, **asked)

        assert not Incident.objects.exists()
        assert sales_pause() is None

    def test_is_refused_where_stripe_does_not_answer_and_switches_nothing(self, stripe):
        stripe.trouble = unavailable()

        with pytest.raises(IncidentRefused, match="Open the incident without that"):
            opened(disable_endpoints=True, hold=("*",))

        assert not HeldType.objects.exists()

    def test_stays_open_where_stripe_fails_halfway_and_knows_what_to_enable(self, stripe, monkeypatch):
        def update_endpoint(*, endpoint, params):
            raise unavailable()

        monkeypatch.setattr(endpoints, "update_endpoint", update_endpoint)

        with pytest.raises(EndpointsLeft):
            opened(disable_endpoints=True)

        assert Incident.objects.get().endpoints == ["we_1"]

    def test_is_refused_while_another_one_is_open(self):
        opened()

        with pytest.raises(IncidentRefused, match="open already"):
            opened()

    def test_is_refused_by_the_database_too(self):
        opened()

        with pytest.raises(IntegrityError), transaction.atomic():
            Incident.objects.create(reason="second", opened_at=NOON)

    def test_notes_one_mail_for_staff(self):
        incident = opened()

        assert list(Effect.objects.values_list("key", flat=True)) == [f"alert.incident_opened:{incident.pk}"]
        assert not PaymentEvent.objects.exists()
