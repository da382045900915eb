"""Events sent again by hand."""

import pytest

from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.deliver import RETRIES
from stripe_emulator.events.endpoints import delete_endpoint
from stripe_emulator.events.resend import resend, resend_undelivered
from tests.support.emulator import send_due

DAY = 24 * 3600


class TestResend:
    def test_sends_once_more_whatever_became_of_the_event(self, endpoint, receiver, happen):
        event = happen()
        send_due(10)

        count = resend(event)
        send_due(10)

        assert count == 1
        assert [each["id"] for each in receiver.events] == [event.stripe_id] * 2

    def test_is_not_touched_by_chaos(self, endpoint, receiver, happen):
        Chaos(drop_percent=100, duplicates=5, shuffle=1000, delay_seconds=1000, other_version_percent=100).save()
        event = happen()

        resend(event)
        send_due(10)

        (sent,) = receiver.events
        assert sent["api_version"] == event.api_version

    def test_can_name_one_endpoint(self, make_endpoint, receiver, happen):
        event = happen()
        make_endpoint()
        second = make_endpoint()

        assert resend(event, second) == 1

    @pytest.mark.parametrize("end", [lambda each: each.change(status="disabled"), delete_endpoint])
    def test_goes_to_no_endpoint_that_is_closed(self, endpoint, happen, end):
        event = happen()

        end(endpoint)

        assert resend(event) == resend(event, endpoint) == 0

    def test_goes_only_to_endpoints_that_want_it(self, make_endpoint, happen):
        make_endpoint(events=("invoice.paid",))

        assert resend(happen()) == 0

    def test_leaves_planned_retries_alone(self, endpoint, receiver, happen, pass_time):
        receiver.answers = [500]
        event = happen()
        send_due(10)

        resend(event)
        send_due(10)
        pass_time(RETRIES[0])
        send_due(10)

        assert len(receiver.received) == 3


class TestResendUndelivered:
    def test_sends_what_was_dropped(self, endpoint, receiver, happen):
        Chaos(drop_percent=100).save()
        dropped = [happen().stripe_id for _ in range(3)]
        Chaos().save()
        happen()
        send_due(10)
        receiver.received.clear()

        count = resend_undelivered()
        send_due(10)

        assert count == 3
        assert [event["id"] for event in receiver.events] == dropped

    def test_takes_a_twin_of_live_mode_for_no_delivery(self, endpoint, receiver, happen):
        Chaos(drop_percent=100, wrong_livemode_percent=100).save()
        happen()
        send_due(10)

        assert resend_undelivered() == 1

    def test_sends_what_happened_while_the_endpoint_was_disabled(self, endpoint, receiver, happen):
        endpoint.change(status="disabled")
        happen()
        endpoint.change(status="enabled")

        assert resend_undelivered() == 1

    def test_sends_what_waits_for_a_retry(self, endpoint, receiver, happen):
        receiver.answers = [500]
        happen()
        send_due(10)

        assert resend_undelivered() == 1

    def test_leaves_alone_what_is_on_its_way(self, endpoint, happen):
        happen()

        assert resend_undelivered() == 0

    def test_sends_each_event_once_however_often_it_is_asked(self, endpoint, happen):
        Chaos(drop_percent=100).save()
        happen()

        assert [resend_undelivered(), resend_undelivered()] == [1, 0]

    def test_asks_what_each_endpoint_has_accepted(self, make_endpoint, receiver, happen):
        make_endpoint()
        happen()
        send_due(10)
        make_endpoint()
        make_endpoint(events=("invoice.paid",))

        assert resend_undelivered() == 1

    def test_knows_only_the_last_thirty_days(self, endpoint, happen, pass_time):
        Chaos(drop_percent=100).save()
        happen()
        pass_time(31 * DAY)
        happen()

        assert resend_undelivered() == 1
