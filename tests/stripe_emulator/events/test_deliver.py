"""Deliveries are sent, recorded, tried again and waited for."""

import threading

import pytest
import time_machine
from django.db import connection

from stripe_emulator.events.deliver import LONGEST_ANSWER, RETRIES, wait_for_acknowledgement, wait_until_quiet
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState
from tests.stripe_emulator.events.conftest import SECRET
from tests.support.emulator import send_due
from tests.support.processes import free_port

HOUR = 3600


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


class TestSendDue:
    def test_posts_the_event_truly_signed(self, endpoint, receiver, happen):
        event = happen(email="a@example.com")

        sent = send_due(10)

        (request,) = receiver.received
        assert sent == 1
        assert request.event["id"] == event.stripe_id
        assert request.event["data"]["object"]["email"] == "a@example.com"
        assert request.is_signed_with(SECRET)
        assert request.headers["User-Agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
        assert request.headers["Content-Type"] == "application/json; charset=utf-8"

    def test_remembers_the_answer(self, endpoint, receiver, happen):
        receiver.text = "x" * 2 * LONGEST_ANSWER
        happen()

        send_due(10)

        attempt = DeliveryAttempt.objects.get()
        assert states() == [DeliveryState.DELIVERED]
        assert (attempt.status_code, attempt.answer, attempt.error) == (200, "x" * LONGEST_ANSWER, "")

    def test_keeps_an_answer_that_is_no_text(self, endpoint, receiver, happen):
        receiver.text = "a\0b"
        happen()

        send_due(10)

        assert DeliveryAttempt.objects.get().answer == "a\N{REPLACEMENT CHARACTER}b"

    def test_sends_nothing_twice(self, endpoint, receiver, happen):
        happen()

        send_due(10)

        assert send_due(10) == 0
        assert len(receiver.received) == 1

    def test_sends_no_more_than_it_may(self, endpoint, receiver, happen):
        events = [happen() for _ in range(3)]

        send_due(2)

        assert [event["id"] for event in receiver.events] == [event.stripe_id for event in events[:2]]

    @pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
    def test_tries_again_after_any_answer_but_2xx(self, endpoint, receiver, happen, pass_time, status):
        receiver.answers = [status]
        happen()

        send_due(10)
        too_early = send_due(10)
        pass_time(RETRIES[0])
        send_due(10)

        first, second = DeliveryAttempt.objects.order_by("pk")
        assert too_early == 0
        assert (first.status_code, second.status_code) == (status, 200)
        assert states() == [DeliveryState.DELIVERED]

    def test_signs_each_try_anew(self, endpoint, receiver, happen, pass_time):
        receiver.answers = [500]
        happen()

        send_due(10)
        pass_time(RETRIES[0])
        with time_machine.travel("2040-01-01T00:00:00Z", tick=True):
            send_due(10)

        first, second = receiver.received
        assert first.body == second.body
        assert first.signature != second.signature
        assert second.signature.startswith("t=2208988800,v1=")

    def test_gives_up_after_the_last_retry(self, endpoint, receiver, happen, pass_time):
        receiver.usual = 500
        happen()

        for pause in (0, *RETRIES, 365 * 24 * HOUR):
            pass_time(pause)
            send_due(10)

        assert states() == [DeliveryState.FAILED]
        assert len(receiver.received) == 1 + len(RETRIES)
        assert sum(RETRIES) <= 3 * 24 * HOUR

    def test_tries_again_when_nobody_listens(self, make_endpoint, happen):
        make_endpoint(url=f"http://127.0.0.1:{free_port()}/")
        happen()

        send_due(10)

        attempt = DeliveryAttempt.objects.get()
        assert states() == [DeliveryState.PENDING]
        assert attempt.status_code is None
        assert "Connection refused" in attempt.error

    def test_waits_no_longer_than_its_patience(self, endpoint, receiver, happen, monkeypatch):
        monkeypatch.setattr("stripe_emulator.events.deliver.TIMEOUT", 0.1)
        receiver.seconds = 1
        happen()

        send_due(10)

        assert "timed out" in DeliveryAttempt.objects.get().error

    def test_sends_each_endpoint_its_own_version(self, make_endpoint, receiver, happen, settings):
        make_endpoint(api_version="2023-10-16")
        make_endpoint()
        happen()

        send_due(10)

        assert {event["api_version"] for event in receiver.events} == {"2023-10-16", settings.STRIPE_API_VERSION}
        assert len({event["id"] for event in receiver.events}) == 1


class TestWaitForAcknowledgement:
    def test_is_over_at_once_when_nobody_has_subscribed(self, happen):
        event = happen()

        assert wait_for_acknowledgement(event.object_id, event.type, seconds=0)

    def test_is_in_vain_without_such_an_event(self, happen):
        assert not wait_for_acknowledgement(happen().object_id, "customer.deleted", seconds=0)

    def test_is_in_vain_when_the_receiver_refuses(self, endpoint, receiver, happen):
        receiver.usual = 500
        event = happen()
        send_due(10)

        assert not wait_for_acknowledgement(event.object_id, event.type, seconds=0.1)

    def test_waits_for_every_endpoint(self, make_endpoint, receiver, happen):
        make_endpoint()
        make_endpoint()
        event = happen()
        send_due(1)
        one = wait_for_acknowledgement(event.object_id, event.type, seconds=0)
        send_due(1)

        assert not one
        assert wait_for_acknowledgement(event.object_id, event.type, seconds=0)


class TestWaitingFromAnotherThread:
    def test_ends_as_soon_as_the_answer_is_there(self, transactional_db, endpoint, receiver, happen):
        event = happen()
        thread = threading.Timer(0.2, _send)
        thread.start()

        acknowledged = wait_for_acknowledgement(event.object_id, event.type, seconds=10)

        thread.join()
        assert acknowledged


class TestWaitUntilQuiet:
    def test_is_quiet_when_only_retries_are_left(self, endpoint, receiver, happen):
        receiver.usual = 500
        happen()
        before = wait_until_quiet(seconds=0)
        send_due(10)

        assert not before
        assert wait_until_quiet(seconds=0)


def _send() -> None:
    send_due(10)
    connection.close()
