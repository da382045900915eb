"""Stripe asked on demand: what its answers mean, and what is said where it does not answer."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from payments.diagnosis import stripe_answers, webhooks
from payments.diagnosis.diagnose import Outcome, diagnose
from payments.diagnosis.stripe_answers import LOOK_UPS, Questions, ask_stripe
from payments.orders.models import CheckoutAttempt
from payments.stripe_api import lookups
from payments.stripe_api.gateway import Answer, GatewayRefused, GatewayUnavailable
from tests.payments.diagnosis.conftest import SESSION, make_event
from tests.support.fake_stripe import fake_stripe
from tests.support.subscriptions import make_customer, make_subscription

NOW = datetime.now(UTC)
OURS = {
    "id": "we_1", "url": "http://127.0.0.1:8000/stripe/webhooks", "status": "enabled", "enabled_events": ["*"],
    "api_version": settings.STRIPE_API_VERSION,
}  # fmt: skip
PAID = {"payment_status": "paid", "status": "complete", "amount_total": 4900, "currency": "eur"}
EVENT = {
    "id": "evt_missed", "type": "checkout.session.completed", "pending_webhooks": 1,
    "data": {"object": {"id": SESSION}},
}  # fmt: skip


class FakeList:
    """Stripe as the questions hear it: objects by name, one page of events, the endpoints; or the trouble instead."""

    def __init__(self):
        self.objects, self.events, self.endpoints = {}, [], [OURS]
        self.trouble = None

    def look_up(self, name):
        if self.trouble:
            raise self.trouble
        if name not in self.objects:
            raise GatewayRefused(code="resource_missing", message=f"No such object: {name}")
        return Answer({"id": name, **self.objects[name]}, NOW)

    def list(self, what, _params):
        assert what == "events"
        return iter([self.events])

    def list_endpoints(self):
        if self.trouble:
            raise self.trouble
        return self.endpoints


@pytest.fixture
def stripe(monkeypatch):
    fake = FakeList()
    for kind in LOOK_UPS:
        monkeypatch.setitem(LOOK_UPS, kind, fake.look_up)
    monkeypatch.setattr(lookups, "pages", fake.list)
    monkeypatch.setattr(lookups, "webhook_endpoints", fake.list_endpoints)
    return fake


@pytest.fixture
def waiting(order):
    """Its payment page is open now."""
    CheckoutAttempt.objects.filter(order=order).update(created_at=NOW, expires_at=NOW + timedelta(minutes=30))
    return order


def asked(text):
    diagnosis = diagnose(str(text), at=NOW, with_stripe=True)
    return diagnosis, {each.code: each for each in diagnosis.findings}


@pytest.mark.django_db
class TestAskStripe:
    def test_finds_money_that_nobody_here_heard_of(self, stripe, waiting):
        stripe.objects[SESSION] = PAID

        diagnosis, found = asked(waiting.number)

        assert diagnosis.outcome is Outcome.FOUND
        assert diagnosis.verdict.startswith(
            f"Stripe says that {SESSION} is paid (€49.00); here {waiting.number} is not."
        )
        assert found["stripe.paid_unheard"].remedy.command == f"manage.py resync order {waiting.number}"

    @pytest.mark.parametrize(
        ("pending", "words"), [(1, "Stripe still tries: 1 endpoint has"), (0, "delivered it, but to other addresses")]
    )
    def test_finds_the_event_that_never_came_and_how_far_its_delivery_is(self, stripe, waiting, pending, words):
        stripe.objects[SESSION] = PAID
        stripe.events = [{**EVENT, "pending_webhooks": pending}, {**EVENT, "id": "evt_other", "data": {"object": {}}}]

        _diagnosis, found = asked(waiting.number)

        assert words in found["event.missing"].sentence
        assert found["event.missing"].remedy.command == "stripe events resend evt_missed"

    def test_does_not_miss_what_is_here(self, stripe, waiting):
        stripe.objects[SESSION] = {**PAID, "payment_status": "unpaid", "status": "open"}
        stripe.events = [EVENT]
        make_event(waiting, stripe_event_id="evt_missed", status="IGNORED", ignored_reason="the session is not paid")

        _diagnosis, found = asked(waiting.number)

        assert "event.missing" not in found
        assert "is open, and that nobody has paid" in found["stripe.unpaid"].sentence

    def test_finds_an_event_of_which_only_the_id_is_known(self, stripe, db):
        stripe.objects["evt_missed"] = EVENT

        diagnosis, found = asked("evt_missed")

        assert diagnosis.outcome is Outcome.FOUND
        assert "evt_missed (checkout.session.completed) never came." in found["event.missing"].sentence

    def test_agrees_where_both_sides_say_the_same(self, stripe, paid):
        stripe.objects[SESSION] = PAID

        diagnosis, found = asked(paid.number)

        assert diagnosis.outcome is Outcome.HEALTHY
        assert "Stripe says the same" in found["stripe.agrees"].sentence

    def test_finds_a_subscription_in_another_state(self, stripe, db):
        make_subscription(customer=make_customer(), status="active")
        stripe.objects["sub_1"] = {"status": "past_due"}

        assert "is “past_due” at Stripe and “active” here" in asked("sub_1")[1]["stripe.other_state"].sentence

    def test_says_that_stripe_alone_knows_it_or_not_even_stripe(self, stripe, db):
        stripe.objects["cs_elsewhere"] = PAID

        assert "nothing here belongs to it" in asked("cs_elsewhere")[1]["stripe.known_there_only"].sentence
        assert "does not know cs_nowhere (asked with the key of this site, test mode)" in (
            asked("cs_nowhere")[1]["stripe.unknown_there"].sentence
        )

    @pytest.mark.parametrize(
        ("endpoint", "code", "words"),
        [
            ({**OURS, "status": "disabled"}, "webhooks.enabled", "is disabled at Stripe"),
            ({**OURS, "enabled_events": ["charge.refunded"]}, "webhooks.events", "site checkout.session"),
            ({**OURS, "url": "https://old.example/stripe/webhooks"}, "webhooks.endpoint", "leads to this site"),
        ],
    )
    def test_finds_an_endpoint_that_gets_nothing(self, stripe, waiting, settings, endpoint, code, words):
        settings.STRIPE_API_BASE = "http://stands.in.for.stripe"
        stripe.objects[SESSION] = PAID
        stripe.endpoints = [endpoint]

        assert words in asked(waiting.number)[1][code].sentence

    def test_says_what_it_could_not_check_when_stripe_is_away(self, stripe, waiting):
        stripe.trouble = GatewayUnavailable("Stripe is not available at the moment (no answer).")

        diagnosis, found = asked(waiting.number)

        assert diagnosis.outcome is Outcome.UNKNOWN
        assert found["stripe.not_checked"].sentence == (
            "Stripe could not be asked about everything. Not checked: "
            f"{SESSION} (Stripe is not available at the moment (no answer).), "
            "its events in Stripe’s list (Stripe is not available at the moment (no answer).), "
            "the webhook endpoints (Stripe is not available at the moment (no answer).)."
        )

    def test_says_which_list_a_restricted_key_may_not_read(self, stripe, waiting, monkeypatch):
        stripe.objects[SESSION] = PAID
        monkeypatch.setattr(lookups, "webhook_endpoints", refuse)

        diagnosis, found = asked(waiting.number)

        assert "stripe.paid_unheard" in found
        assert [(str(what), why) for what, why in diagnosis.stripe.unchecked] == [
            ("the webhook endpoints", "The key may not read endpoints.")
        ]

    def test_waits_no_longer_than_it_may(self, stripe, monkeypatch):
        stripe.objects["cs_1"] = PAID
        monkeypatch.setattr(lookups, "webhook_endpoints", lambda: time.sleep(0.5))

        began = time.monotonic()
        answers = ask_stripe(Questions(("cs_1",)), seconds=0.05)

        assert time.monotonic() - began < 0.4
        assert (list(answers.objects), [str(what) for what, _why in answers.unchecked]) == (
            ["cs_1"], ["the webhook endpoints"],
        )  # fmt: skip

    def test_says_that_stripe_lists_old_events_no_more(self, stripe, order):
        stripe.objects[SESSION] = PAID

        diagnosis, _found = asked(order.number)

        assert "Stripe lists the events of 30 days" in str(diagnosis.stripe.unchecked[0][1])


def refuse():
    raise GatewayRefused(code="", message="The key may not read endpoints.")


@pytest.mark.django_db
class TestDiagnoseWebhooks:
    """What our address may answer, and what Stripe's list may say: tests/payments/diagnosis/test_setup.py."""

    def test_says_what_stripe_s_list_and_our_own_address_tell(self, stripe, settings):
        settings.STRIPE_API_BASE = "http://stands.in.for.stripe"
        with fake_stripe() as site:
            site.statuses, settings.SITE_URL = {"GET": 401}, site.url
            stripe.endpoints = [{**OURS, "url": f"{site.url}/stripe/webhooks", "status": "disabled"}]

            report = webhooks.diagnose_webhooks(at=NOW, with_stripe=True)

        assert [each.code for each in report.findings] == ["webhooks.enabled", "webhooks.url"]
        assert report.outcome is Outcome.FOUND

    def test_says_that_stripe_could_not_be_asked(self, stripe, settings):
        stripe.trouble, settings.SITE_URL = GatewayUnavailable("no answer"), "http://127.0.0.1:1"

        report = webhooks.diagnose_webhooks(at=NOW, with_stripe=True)

        assert {each.code for each in report.findings} == {"webhooks.endpoint", "webhooks.url"}


def test_every_kind_of_id_that_can_be_looked_up_has_its_call():
    assert {"cs", "pi", "ch", "re", "du", "dp", "sub", "in", "cus", "evt", "price"} == set(stripe_answers.LOOK_UPS)
