import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from payments.ledger.models import EventSource, PaymentEvent, Trigger
from payments.ledger.read_event import read_event
from payments.ledger.record import RecordOutcome, claim_due, record_event
from payments.statuses import EventStatus
from tests.support.signing import make_event

NOON = datetime(2026, 9, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=5)
pytestmark = pytest.mark.django_db


def incoming(**changes):
    event = make_event(**changes)
    return read_event(event, body_sha256="ab" * 32, expected_livemode=False, expected_account="")


def record(event, *, at=NOON, source=EventSource.WEBHOOK):
    return record_event(event, source=source, request_id="request-1", at=at)


def queued_again(row, *, status, **changes):
    PaymentEvent.objects.filter(pk=row.id).update(
        status=status, attempts=7, next_attempt_at=LATER + timedelta(days=1), error="boom", **changes
    )


class TestRecordEvent:
    def test_keeps_all_that_was_read(self):
        event = incoming(account="", object={"name": "Zoé 😀", "amount": 10**20})

        recorded = record(event, source=EventSource.BACKFILL)

        row = PaymentEvent.objects.get(pk=recorded.id)
        assert recorded.outcome is RecordOutcome.STORED
        assert (row.stripe_event_id, row.type, row.object_id) == (event.id, event.type, "cs_test_a1")
        assert (row.payload, row.body_sha256) == (event.payload, "ab" * 32)
        assert (row.occurred_at, row.received_at, row.next_attempt_at) == (event.occurred_at, NOON, NOON)
        assert (row.source, row.request_id) == ("backfill", "request-1")
        assert (row.status, row.processed_at, row.attempts) == (EventStatus.RECEIVED, None, 0)
        assert (row.references, row.requested_reason, row.trigger) == ([], "", Trigger.DELIVERY)

    def test_keeps_every_id_that_it_names(self):
        source = {"payment_intent": "pi_1", "customer": {"id": "cus_1"}, "status": "in progress"}
        event = incoming(object={**source, "metadata": {"registrationId": "old-42"}})

        record(event)

        named = {"registration:old-42", event.object_id, "pi_1", "cus_1"}
        assert set(PaymentEvent.objects.get().mentions) == named

    def test_keeps_who_brings_it_again(self):
        event = incoming()
        record(event)

        record_event(event, source=EventSource.WEBHOOK, request_id="request-2", at=LATER)

        row = PaymentEvent.objects.get()
        assert row.request_id == "request-1"
        assert list(row.redeliveries.values_list("request_id", "received_at")) == [("request-2", LATER)]

    def test_costs_one_statement(self, django_assert_num_queries):
        event = incoming()

        with django_assert_num_queries(1):
            record(event)

    def test_puts_it_into_the_queue(self):
        recorded = record(incoming())

        with transaction.atomic():
            assert [row.pk for row in claim_due(at=NOON, limit=10)] == [recorded.id]

    def test_keeps_what_is_none_of_our_business_out_of_the_queue(self):
        recorded = record(incoming(livemode=True))

        row = PaymentEvent.objects.get(pk=recorded.id)
        assert (row.status, row.ignored_reason) == (EventStatus.IGNORED, "wrong livemode")
        assert row.processed_at == NOON

    @pytest.mark.parametrize(
        "status", [EventStatus.RECEIVED, EventStatus.PROCESSED, EventStatus.IGNORED, EventStatus.HELD]
    )
    def test_leaves_a_known_event_alone(self, status):
        event = incoming()
        first = record(event)
        queued_again(first, status=status)

        second = record(event, at=LATER)

        row = PaymentEvent.objects.get()
        assert (second.outcome, second.id) == (RecordOutcome.DUPLICATE, first.id)
        assert (row.status, row.next_attempt_at, row.received_at) == (status, LATER + timedelta(days=1), NOON)

    @pytest.mark.parametrize("status", [EventStatus.FAILED, EventStatus.DEAD])
    def test_queues_what_had_failed_again_at_once(self, status):
        event = incoming()
        first = record(event)
        bystander = record(incoming())
        queued_again(bystander, status=status)
        queued_again(first, status=status, trigger=Trigger.REPLAY, requested_reason="trying")

        second = record(event, at=LATER)

        row = PaymentEvent.objects.get(pk=first.id)
        assert (second.outcome, second.id) == (RecordOutcome.REQUEUED, first.id)
        assert (row.attempts, row.trigger, row.requested_reason) == (7, Trigger.DELIVERY, "")
        with transaction.atomic():
            assert [claimed.pk for claimed in claim_due(at=LATER, limit=10)] == [first.id]


@pytest.mark.django_db(transaction=True)
class TestRecordEventBesideWorkers:
    def test_does_not_wait_for_a_worker_that_holds_the_row(self):
        event = incoming()
        first = record(event)
        queued_again(first, status=EventStatus.FAILED)
        outcomes: list[RecordOutcome] = []

        with transaction.atomic():
            PaymentEvent.objects.select_for_update(no_key=True).get(pk=first.id)
            other = threading.Thread(target=lambda: outcomes.append(_on_its_own_connection(event)))
            other.start()
            other.join(timeout=10)
            waited = other.is_alive()
        other.join()

        assert not waited
        assert outcomes == [RecordOutcome.DUPLICATE]

    def test_is_committed_when_it_returns(self):
        recorded = record(incoming())

        connection.close()
        assert PaymentEvent.objects.filter(pk=recorded.id).exists()


def _on_its_own_connection(event):
    try:
        return record(event, at=LATER).outcome
    finally:
        connections.close_all()
