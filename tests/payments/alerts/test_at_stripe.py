"""What goes wrong between Stripe and this site, with the emulator in Stripe's place and real deliveries."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from payments.alerts.models import Alert
from payments.backfill.backfill import BackfillOptions, backfill
from payments.effects.deliver import deliver_all
from payments.endpoints.change import carry_out, ours, plan_endpoints
from payments.endpoints.drift import check_drift
from payments.ledger.refusals import refusals
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.stripe_api.lookups import ThrottledStripe
from tests.support.emulator import official_client
from tests.support.resync import sold
from tests.support.signing import make_event, signed_post
from tests.support.subscriber import emulate
from tests.support.watching import A_MINUTE, everything_lives, watched

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(monkeypatch, settings):
    """The API as Stripe offers it, with our endpoint registered there as `stripe_webhooks apply` does it."""
    settings.SITE_URL, settings.LANGUAGE_CODE = "https://shop.example", "en"
    refusals.begin_anew()
    emulate(monkeypatch)
    carry_out(plan_endpoints(ours()), keep=lambda _secret: None)
    return official_client().v1


def told(*, at):
    """Send what is due. Returns what the newest mail says."""
    deliver_all(clock=lambda: at)
    return mail.outbox[-1].body


class TestEndpoint:
    def test_that_is_disabled_is_told_with_the_command_and_forgotten_once_it_is_back(self, stripe):
        now = timezone.now()
        everything_lives(at=now)
        [endpoint] = stripe.webhook_endpoints.list().data
        stripe.webhook_endpoints.update(endpoint.id, {"disabled": True})
        check_drift(at=now)

        assert watched(at=now) == [f"endpoint.drifted:disabled:{endpoint.id}"]
        assert "stripe_webhooks apply" in told(at=now + A_MINUTE)

        stripe.webhook_endpoints.update(endpoint.id, {"disabled": False})
        check_drift(at=now + 2 * A_MINUTE)
        assert watched(at=now + 2 * A_MINUTE) == []
        assert len(mail.outbox) == 1


class TestSecret:
    def test_that_is_wrong_is_told_with_its_cause_and_forgotten_once_deliveries_are_taken(self, stripe, client):
        for _number in range(6):
            assert signed_post(client, make_event(), secret="whsec_of_another_endpoint").status_code == 400
        refusals.write()
        now = timezone.now()
        everything_lives(at=now)

        assert watched(at=now) == ["deliveries.refused:invalid_signature"]
        assert "matches none of our webhook secrets" in told(at=now + A_MINUTE)

        assert signed_post(client, make_event(type="product.created")).status_code == 200
        drain()
        later = now + 16 * A_MINUTE
        everything_lives(at=later)
        assert watched(at=later) == []


class TestDroppedDeliveries:
    def test_are_found_by_the_walk_applied_and_told(self, stripe, registration):
        sold(registration).pay()
        assert Order.objects.get().status == "PENDING"
        at = timezone.now() + 10 * A_MINUTE

        backfill(options=BackfillOptions(by="a test", stripe=ThrottledStripe(calls_per_second=1e6)), clock=lambda: at)
        drain(at=at)
        everything_lives(at=at)

        assert Order.objects.get().status == "PAID"
        assert watched(at=at) == ["events.missing"]
        assert "checkout.session.completed" in told(at=at)
        later = at + timedelta(hours=1, minutes=1)
        everything_lives(at=later)
        assert "events.missing" not in watched(at=later)
        assert Alert.objects.get(rule="events.missing").closed_at == later
