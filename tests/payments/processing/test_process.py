import pytest
from django.core import mail as post
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from payments.effects.deliver import deliver_all
from payments.effects.mail import NO_ADDRESS
from payments.ledger.models import PaymentEvent, Redelivery
from payments.processing.drain import drain
from payments.statuses import EffectStatus, EventStatus
from tests.support.factories import NOON, OrderFactory
from tests.support.mails import deliver, english_in, leads_to, read, sent
from tests.support.road import event_of, hear, keep

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


def heard(event, **columns):
    """The lines of its way from the queue to the mail."""
    keep(event)
    PaymentEvent.objects.filter(stripe_event_id=event["id"]).update(**columns)
    with capture_logs(processors=[merge_contextvars]) as lines:
        drain(at=NOON)
        deliver_all(clock=lambda: NOON)
    return lines


class TestLog:
    def test_names_event_order_registration_and_request_on_every_line(self, registration):
        event = event_of(registration, "checkout.session.completed")

        lines = heard(event, request_id="request-1")

        names = ("stripe_event", "order", "order_number", "registration", "request_id")
        told = {line["event"]: tuple(line.get(name) for name in names) for line in lines}
        order = registration.order
        expected = (event["id"], order.pk, order.number, str(registration.public_id), "request-1")
        assert {"order.changed", "registration.changed", "event.processed", "effect.delivered"} <= told.keys()
        assert set(told.values()) == {expected}

    def test_says_why_a_payment_failed(self, registration):
        event = event_of(registration, "payment_intent.payment_failed", decline_code="lost_card")

        lines = heard(event)

        intent = event["data"]["object"]["id"]
        failed = next(line for line in lines if line["event"] == "payment.failed")
        changed = next(line for line in lines if line["event"] == "order.changed" and line["what"] == "status")
        assert (failed["payment_intent"], failed["order"]) == (intent, registration.order_id)
        for line in (failed, changed):
            assert "card_declined" in line["reason"]
            assert "lost_card" in line["reason"]
            assert "Your card" in line["reason"]

    def test_says_why_a_refund_failed(self, registration):
        hear(event_of(registration, "checkout.session.completed"), at=NOON)

        lines = heard(event_of(registration, "refund.failed"))

        failed = next(line for line in lines if line["event"] == "order.changed" and line["what"].startswith("refund"))
        assert failed["reason"] == "expired_or_canceled_card"

    def test_says_what_an_event_names_in_vain(self):
        session = {"id": "cs_1", "mode": "payment", "payment_status": "paid", "amount_total": 4900, "currency": "eur"}
        metadata = {"metadata": {"registrationId": "reg-7"}}
        told = {"id": "evt_1", "type": "checkout.session.completed", "livemode": False, "api_version": ""}

        lines = heard({**told, "created": int(NOON.timestamp()), "data": {"object": session | metadata}})

        assert [(line["event"], line["registration"]) for line in lines] == [("event.failed", "reg-7")]
        assert "registration:reg-7" in lines[0]["reason"]

    def test_speaks_of_a_further_try_by_the_request_that_asked_for_it(self, registration):
        event = event_of(registration, "checkout.session.completed")
        keep(event)
        Redelivery.objects.create(event=PaymentEvent.objects.get(), request_id="request-2", received_at=NOON)

        lines = heard(event, request_id="request-1", attempts=1, status=EventStatus.FAILED)

        assert {line["request_id"] for line in lines} == {"request-2"}
        assert PaymentEvent.objects.get().request_id == "request-1"

    def test_says_nothing_twice_where_a_batch_is_taken_apart(self, registration, make_registration, monkeypatch):
        def stumble(row, order):
            if order.pk == registration.order_id:
                raise KeyError("a mistake in the product")

        monkeypatch.setattr("registrations.product.message_for", stumble)
        keep(event_of(make_registration("Alex Smith"), "checkout.session.completed"))

        lines = heard(event_of(registration, "checkout.session.completed"))

        said = [line["event"] for line in lines if line["event"] != "drain.again"]
        assert sorted(set(said)) == ["event.failed", "event.processed", "order.changed", "registration.changed"]
        assert said.count("event.processed") == said.count("registration.changed") == 1
        assert {line["order"] for line in lines if line["event"] == "order.changed"} != {registration.order_id}
