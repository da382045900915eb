"""What goes wrong between Stripe and this site, with the emulator in Stripe's place and real deliveries."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from payments.alerts.models import Alert
from payments.backfill.backfill import BackfillOptions, backfill
from payments.effects.deliver import deliver_all
from payments.endpoints.change import carry_out, ours, plan_endpoints
from payments.endpoints.drift import check_drift
from payments.handlers import registry
from payments.ledger.models import PaymentEvent
from payments.ledger.refusals import refusals
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.stripe_api.lookups import ThrottledStripe
from payments.tallies import write as write_tallies
from payments.webhook.views import announce
from stripe_emulator.events.payload import render
from stripe_emulator.models import Event
from tests.support.emulator import official_client
from tests.support.resync import sold
from tests.support.signing import make_event, signed_post
from tests.support.subscriber import emulate
from tests.support.watching import A_DAY, A_MINUTE, AN_HOUR, everything_lives, watched

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

    def test_that_signs_no_more_is_told_once_another_does_and_forgotten_once_it_signs(
        self, stripe, client, settings, time_machine
    ):
        old, new = settings.STRIPE_WEBHOOK_SECRETS = ["whsec_of_the_endpoint_before", "whsec_of_the_endpoint_of_now"]
        now = datetime.now(UTC)
        delivered = partial(deliver_at, client, time_machine)
        announce()
        delivered(now, secret=old)
        # Processes that were started since know both; a delivery comes with each, and then with the new one alone.
        delivered(now + AN_HOUR, secret=old)
        delivered(now + AN_HOUR, secret=new)
        delivered(now + A_DAY, secret=new)
        assert "secret.unused" not in " ".join(watched(at=now + A_DAY))

        delivered(now + A_DAY + 3 * AN_HOUR, secret=new)
        assert watched(at=now + A_DAY + 3 * AN_HOUR) == ["secret.unused:…fore"]
        assert "take it out of STRIPE_WEBHOOK_SECRET" in told(at=now + A_DAY + 4 * AN_HOUR)

        delivered(now + A_DAY + 4 * AN_HOUR, secret=old)
        assert watched(at=now + A_DAY + 4 * AN_HOUR) == []
        assert len(mail.outbox) == 1


class TestHours:
    def test_that_are_silent_are_told_where_there_is_traffic_usually(self, stripe, client, time_machine):
        now = datetime.now(UTC)
        for day in range(8, 0, -1):
            time_machine.move_to(now - day * A_DAY - 30 * A_MINUTE, tick=False)
            for _number in range(6):
                stripe.customers.create({"email": "ada@example.com"})
            assert set(delivered_news(client)) == {200}
            drain()
        time_machine.move_to(now, tick=False)
        everything_lives(at=now)

        assert watched(at=now) == ["events.silent"]
        assert "usually there are 6" in told(at=now + A_MINUTE)

        time_machine.move_to(now + 2 * A_MINUTE, tick=False)
        stripe.customers.create({"email": "ada@example.com"})
        delivered_news(client)
        drain()
        assert watched(at=now + 2 * A_MINUTE) == []
        assert len(mail.outbox) == 1

    def test_in_which_a_third_fails_are_told_and_forgotten(self, stripe, client, monkeypatch):
        now = timezone.now()
        everything_lives(at=now)
        for _number in range(21):
            stripe.customers.create({"email": "ada@example.com"})
        for _number in range(9):
            stripe.products.create({"name": "A course"})
        with monkeypatch.context() as patched:
            patched.setitem(registry.HANDLERS, "product.created", stumble)
            assert set(delivered_news(client)) == {200}
            drain()

        # The second only counts the list To do, and brings no mail.
        assert watched(at=timezone.now()) == ["events.failing", "todo:failure_group"]
        assert "9 of the 30 events" in told(at=timezone.now() + A_MINUTE)
        assert len(mail.outbox) == 1

        drain(at=timezone.now() + AN_HOUR)
        everything_lives(at=timezone.now() + 2 * AN_HOUR)
        assert watched(at=timezone.now() + 2 * AN_HOUR) == []


def stumble(_event):
    """A handler with a fault."""
    raise KeyError("name")


def deliver_at(client, time_machine, at, *, secret):
    """One delivery, signed at that moment with that secret, and counted."""
    time_machine.move_to(at, tick=False)
    assert signed_post(client, make_event(type="product.created"), secret=secret).status_code == 200
    drain()
    write_tallies(at=at)
    everything_lives(at=at)


def delivered_news(client):
    """What the emulator has told since the last time is delivered. Returns the status of each answer."""
    known = PaymentEvent.objects.values_list("stripe_event_id", flat=True)
    rows = Event.objects.exclude(stripe_id__in=known).order_by("number")
    return [signed_post(client, render(row, settings.STRIPE_API_VERSION)).status_code for row in rows]


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
