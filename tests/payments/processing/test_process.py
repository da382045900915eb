import pytest
from django.core import mail as post

from payments.effects.mail import NO_ADDRESS
from payments.ledger.models import PaymentEvent
from payments.statuses import EffectStatus, EventStatus
from tests.support.factories import NOON, OrderFactory
from tests.support.mails import deliver, english_in, leads_to, read, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return OrderFactory()


@pytest.fixture
def dead_event(order):
    return PaymentEvent.objects.create(
        stripe_event_id="evt_1", type="charge.updated", payload={}, body_sha256="0" * 64, occurred_at=NOON,
        received_at=NOON, next_attempt_at=NOON, status=EventStatus.DEAD, order=order, error_kind="MalformedObject",
        error="amount: None",
    )  # fmt: skip


def alert():
    return deliver(
        "alert.event_dead:1",
        kind="alert.event_dead",
        type="charge.updated",
        error_kind="MalformedObject",
        event="evt_1",
    )


class TestEventDead:
    @pytest.mark.parametrize(
        ("language", "subject", "advice"),
        [
            ("en", "Stripe events given up", "replay the event"),
            ("fr", "Événements Stripe abandonnés", "rejouez l’événement"),
        ],
    )
    def test_says_what_was_given_up_why_and_what_to_do(self, dead_event, order, settings, language, subject, advice):
        settings.LANGUAGE_CODE = language

        alert()

        assert subject in sent().subject
        for text in read(sent()):
            for fact in ("charge.updated", "MalformedObject", "amount: None", "evt_1", order.number, advice):
                assert fact in text

    def test_is_french_throughout(self, dead_event, settings):
        settings.LANGUAGE_CODE = "fr"

        alert()

        said = " ".join([sent().subject, *read(sent())])
        assert english_in(said.replace("charge.updated", "").replace("amount: None", "")) == []

    def test_leads_to_the_page_of_its_example(self, dead_event):
        alert()

        assert leads_to(sent(), f"/admin/payments/paymentevent/{dead_event.pk}/change/")

    def test_goes_out_even_if_its_example_is_repaired_or_gone_meanwhile(self, dead_event):
        dead_event.delete()

        assert alert().status == EffectStatus.DONE
        assert "evt_1" in sent().body

    def test_is_skipped_where_no_address_is_configured(self, dead_event, settings):
        settings.STRIPE_ALERT_EMAIL = []

        assert alert().outcome == NO_ADDRESS
        assert post.outbox == []
