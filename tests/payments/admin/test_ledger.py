"""The road's screens: what the ledger's finds and shows, a replay of a busy event, holding a type back."""

from contextlib import contextmanager

import psycopg
import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.ledger.models import EventAttempt, HeldType, PaymentEvent, Redelivery, Trigger
from payments.ledger.read_event import read_event
from payments.ledger.record import record_event
from payments.processing.drain import drain
from payments.statuses import EventStatus
from tests.support.road import NOON
from tests.support.signing import make_event

LIST = reverse("admin:payments_paymentevent_changelist")
HELD = "checkout.session.expired"
HOLD_PAGE = reverse("admin:payments_heldtype_add")
HELD_LIST = reverse("admin:payments_heldtype_changelist")


def choose(page, *events, **fields):
    """What the browser sends from the list, and, with `confirmed` and `reason`, from the page between."""
    data = {"action": "replay", "_selected_action": [event.pk for event in events], **fields}
    return page.post(LIST, data, follow=True)


def found(page, term):
    return [event.pk for event in page.get(LIST, {"q": term}).context["cl"].result_list]


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


class TestSearch:
    def test_finds_an_event_under_each_of_its_names(self, page, event):
        PaymentEvent.objects.filter(pk=event.pk).update(request_id="req-1")

        assert found(page, event.stripe_event_id) == [event.pk]
        assert event.pk in found(page, event.object_id)
        assert found(page, "req-1") == [event.pk]
        assert event.pk in found(page, event.order.number)
        assert event.pk in found(page, str(event.order.public_id))
        assert found(page, event.stripe_event_id[:-1]) == []

    def test_finds_an_event_by_whatever_it_names(self, page, order, registration):
        dispute = order.events.get(type="charge.dispute.created")
        refund = order.events.get(type="refund.created")
        Redelivery.objects.create(event=refund, request_id="req-again", received_at=NOON)

        for row, names in {
            dispute: [order.disputes.get().stripe_id, dispute.payload["data"]["object"]["charge"]],
            refund: [order.refunds.get().stripe_id, refund.payload["data"]["object"]["payment_intent"], "req-again"],
            order.events.get(type="checkout.session.completed"): [
                order.checkouts.get().session, str(registration.public_id), str(order.public_id).upper(), order.number,
            ],
        }.items():  # fmt: skip
            for name in names:
                assert row.pk in found(page, name), name
        assert found(page, "pi_nobody") == found(page, "O-999999") == []

    def test_finds_an_event_of_a_subscription_or_of_the_old_system(self, page):
        source = {"subscription": "sub_7", "invoice": "in_7", "customer": {"id": "cus_7"}}
        event = make_event(object={**source, "metadata": {"registrationId": "old-42"}})
        incoming = read_event(event, body_sha256="0" * 64, expected_livemode=False, expected_account="")
        row = record_event(incoming, source="webhook", request_id="", at=NOON)

        for name in ("sub_7", "in_7", "cus_7", "old-42"):
            assert found(page, name) == [row.id], name

    def test_asks_in_a_way_that_finds_its_index(self, page, event):
        with CaptureQueriesContext(connection) as queries:
            page.get(LIST, {"q": event.stripe_event_id})

        (sql,) = {query["sql"] for query in queries if "ORDER BY" in query["sql"] and "request_id" in query["sql"]}
        assert "UPPER(" not in sql
        assert "payload" not in sql


class TestPage:
    def test_shows_each_try_and_what_it_changed(self, page, event):
        EventAttempt.objects.create(
            event=event, number=2, trigger=Trigger.RETRY, started_at=NOON, outcome="FAILED", error_kind="KeyError",
            error="no such thing", changes=[{"what": "status", "before": "", "after": "PAID"}],
        )  # fmt: skip

        content = page.get(reverse("admin:payments_paymentevent_change", args=[event.pk])).content.decode()

        assert "no such thing" in content
        assert "Status: – → Paid" in content
        assert event.order.number in content

    def test_offers_a_replay_to_those_who_may(self, page, client, clerk, event):
        client.force_login(clerk)
        own_page = reverse("admin:payments_paymentevent_change", args=[event.pk])

        assert 'value="replay"' in page.get(own_page).content.decode()
        assert 'value="replay"' not in client.get(own_page).content.decode()


@contextmanager
def in_hand_of_a_worker(event):
    """The event's row, locked by another session."""
    with psycopg.connect(**connection.get_connection_params()) as worker:
        worker.execute("SELECT 1 FROM payments_paymentevent WHERE id = %s FOR UPDATE", [event.pk])
        yield
        worker.rollback()


@pytest.mark.django_db(transaction=True)
class TestReplayOfABusyEvent:
    def test_is_refused_with_the_reason(self, page, event):
        with in_hand_of_a_worker(event):
            response = choose(page, event, confirmed="Replay", reason="impatient")

        assert messages_of(response) == [f"{event.stripe_event_id} is being processed at this moment."]


def release(page, *types, **more):
    return page.post(HELD_LIST, {"action": "release", "index": "0", "_selected_action": types, **more}, follow=True)


class TestHold:
    def test_keeps_the_type_the_person_and_the_reason(self, page, staff):
        page.post(HOLD_PAGE, {"type": HELD, "reason": "handler is wrong"})

        held = HeldType.objects.get()
        assert (held.type, held.held_by, held.reason) == (HELD, staff, "handler is wrong")

    def test_needs_a_reason_and_a_type_that_is_handled(self, page):
        page.post(HOLD_PAGE, {"type": HELD, "reason": ""})
        page.post(HOLD_PAGE, {"type": "checkout.session.expried", "reason": "a slip"})

        assert not HeldType.objects.exists()

    def test_is_told_when_it_is_held_already(self, page):
        page.post(HOLD_PAGE, {"type": HELD, "reason": "first"})

        response = page.post(HOLD_PAGE, {"type": HELD, "reason": "second"})

        assert "errorlist" in response.content.decode()
        assert HeldType.objects.get().reason == "first"


class TestRelease:
    def test_of_one_type_brings_its_events_back(self, page, waiting_event):
        page.post(HOLD_PAGE, {"type": HELD, "reason": "wait"})
        drain(at=NOON)
        waiting_event.refresh_from_db()
        assert waiting_event.status == EventStatus.HELD

        response = release(page, HELD, confirmed="1", reason="found it")

        waiting_event.refresh_from_db()
        assert waiting_event.status == EventStatus.RECEIVED
        assert not HeldType.objects.exists()
        assert f"1 event of {HELD} released." in [str(message) for message in response.context["messages"]]

    def test_of_several_types_brings_back_the_events_of_each(self, page, waiting_event):
        page.post(HOLD_PAGE, {"type": HELD, "reason": "wait"})
        page.post(HOLD_PAGE, {"type": "charge.refunded", "reason": "wait"})
        drain(at=NOON)

        release(page, HELD, "charge.refunded", confirmed="1", reason="found it")

        waiting_event.refresh_from_db()
        assert waiting_event.status == EventStatus.RECEIVED
        assert not HeldType.objects.exists()

    def test_leaves_who_when_and_why_where_the_hold_is_gone(self, page, staff, waiting_event):
        page.post(HOLD_PAGE, {"type": HELD, "reason": "wait"})
        drain(at=NOON)

        release(page, HELD, confirmed="1", reason="found it")

        entry = LogEntry.objects.latest("pk")
        assert (entry.user, entry.object_id) == (staff, HELD)
        assert entry.change_message.startswith("Release · found it · event type: ")
        waiting_event.refresh_from_db()
        assert (waiting_event.requested_by, waiting_event.requested_reason) == (staff, "found it")

    def test_does_not_happen_by_looking_at_the_question_nor_without_a_reason(self, page, held_type):
        assert "Release these event types?" in release(page, held_type.pk).content.decode()
        release(page, held_type.pk, confirmed="1", reason=" ")

        assert HeldType.objects.filter(pk=held_type.pk).exists()
