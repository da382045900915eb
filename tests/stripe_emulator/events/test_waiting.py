"""Waiting for what other threads and processes do."""

import threading

from django.db import connection

from stripe_emulator.events.sending import send_due
from stripe_emulator.events.waiting import wait_for_acknowledgement, wait_until_quiet


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
