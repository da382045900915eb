"""An incident from its beginning to its end, with the emulator in Stripe's place."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail

from payments.effects.deliver import deliver_all
from payments.endpoints.change import ours
from payments.endpoints.wanted import is_enabled
from payments.incidents.report import meanwhile
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.processing.drain import drain
from registrations.models import Registration
from stripe_emulator.models import Delivery, Event
from tests.support.deep import so_many
from tests.support.factories import ActivityFactory, RegistrationFactory
from tests.support.incidents import closed, opened
from tests.support.resync import sold
from tests.support.subscriber import emulate

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
SITE = "https://shop.example"
PAYMENTS = so_many(40, deep=500)


@pytest.fixture
def stripe(settings, monkeypatch):
    settings.SITE_URL = SITE
    with time_machine.travel(NOW, tick=False) as traveller:
        api = emulate(monkeypatch)
        api.webhook_endpoints.create({"url": f"{SITE}/stripe/webhooks", "enabled_events": ["*"]})
        yield traveller


class TestWholeIncident:
    def test_leaves_the_ledger_complete_and_says_what_was_found(self, stripe):
        activity = ActivityFactory.create(capacity=PAYMENTS)
        buyers = [sold(each) for each in RegistrationFactory.create_batch(PAYMENTS, activity=activity)]
        incident = opened(at=NOW, disable_endpoints=True, hold=("*",), pause_sales=True)
        assert not any(map(is_enabled, ours().ours))
        for buyer in buyers:
            buyer.pay()
        before = Event.objects.filter(type="checkout.session.completed").count()
        assert (before, Delivery.objects.filter(event__type="checkout.session.completed").count()) == (PAYMENTS, 0)
        stripe.shift(timedelta(hours=1))

        incident = closed(at=NOW + timedelta(hours=1))
        deliver_all(clock=lambda: NOW + timedelta(hours=1))

        found = PaymentEvent.objects.filter(source="backfill").count()
        assert found >= PAYMENTS
        assert incident.report["meanwhile"] == {
            "found": found, "received": 0, "processed": found, "failed": 0, "payments": PAYMENTS, "questions": 0,
        }  # fmt: skip
        assert set(Order.objects.values_list("status", flat=True)) == {"PAID"}
        assert set(Registration.objects.values_list("status", flat=True)) == {"PAID"}
        assert all(map(is_enabled, ours().ours))
        assert (incident.state, drain()) == ("CLOSED", 0)
        report = next(message for message in mail.outbox if "est terminé" in message.subject)
        assert dict(meanwhile(incident))["Found by the back-fill"] == str(found)
        assert any(line.endswith(f": {found}") for line in report.body.splitlines())
