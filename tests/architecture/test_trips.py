"""The ways through the product that everything else resembles, and how many files somebody opens to follow each.

A way that grows beyond its number has lost its shape: put together what is read together (docs/architecture.md).
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from payments.billing.models import Subscription
from payments.cleanup.cleanup import clean_up
from payments.effects.deliver import deliver_all
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.stripe_api import gateway
from stripe_emulator.events.payload import render
from stripe_emulator.models import Event
from tests.architecture.trip import followed
from tests.properties.memberships.life import Life
from tests.support.emulator import official_client
from tests.support.resync import heard, sold
from tests.support.road import event_of
from tests.support.signing import signed_post

pytestmark = pytest.mark.django_db
RENEWAL = ("invoice.paid", "customer.subscription.updated")


@pytest.fixture
def emulated(monkeypatch):
    """The gateway's clients speak to the emulator, in this very process."""
    emulator = official_client()
    for name in ("_made", "_made_in_a_hurry"):
        monkeypatch.setattr(gateway, name, lambda key, base: emulator)


def assert_short(trip, most):
    assert len(trip.files) <= most, "\n".join(["", *trip.files])


class TestWebhook:
    def test_is_short_from_the_delivery_to_the_mail(self, client, registration):
        client.get("/stripe/webhooks")  # imports the view
        reverse("catalogue")  # and every other, which is no part of the way
        event = event_of(registration, "checkout.session.completed", at=timezone.now())

        with followed() as trip:
            assert signed_post(client, event).status_code == 200
            drain()
            deliver_all(clock=timezone.now)

        assert Order.objects.get().status == "PAID"
        assert len(mail.outbox) == 1
        assert_short(trip, 32)


class TestCompareWithStripe:
    def test_is_short_from_the_button_to_the_differences(self, emulated, admin_client, registration, settings):
        settings.LANGUAGE_CODE = "en"
        sold(registration).pay()
        choice = {"action": "resync_order_action", "_selected_action": registration.order_id}
        with followed() as frame:
            admin_client.get(reverse("admin:password_change"))

        with followed() as trip:
            page = admin_client.post(reverse("admin:payments_order_changelist"), choice)

        assert "Waiting for payment" in page.content.decode()
        assert Order.objects.get().status == "PENDING"
        # The menu and whatever else stands around every page is no part of the way.
        for file in frame.files:
            trip.files.pop(file, None)
        assert_short(trip, 38)


class TestRenewal:
    def test_is_short_from_the_delivery_to_the_access(self, emulated, client, settings):
        client.get("/stripe/webhooks")
        life = Life()
        life.checks_out()
        heard()
        before = Subscription.objects.get().period_end
        life.renews()
        events = [render(row, settings.STRIPE_API_VERSION) for row in Event.objects.filter(type__in=RENEWAL)]

        with followed() as trip:
            for event in events:
                assert signed_post(client, event).status_code == 200
            drain(at=datetime.now(UTC) + timedelta(days=1000))

        assert Subscription.objects.get().period_end > before
        assert_short(trip, 30)


class TestCleanUp:
    def test_is_short_from_the_timetable_to_the_free_place(self, emulated, registration):
        sold(registration)

        with followed() as trip:
            clean_up(at=timezone.now() + timedelta(hours=2))

        registration.refresh_from_db()
        assert (registration.status, registration.holds_place) == ("EXPIRED", False)
        assert_short(trip, 24)
