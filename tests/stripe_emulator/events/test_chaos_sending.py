"""What a receiver sees while things go wrong on purpose."""

import pytest

from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.sending import RETRIES, send_due
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, Emulation
from tests.stripe_emulator.events.conftest import SECRET


class TestChaos:
    def test_sends_extra_copies(self, endpoint, receiver, happen):
        Chaos(duplicates=3).save()
        event = happen()

        send_due(10)

        assert [each["id"] for each in receiver.events] == [event.stripe_id] * 4

    def test_leaves_earlier_events_alone(self, endpoint, receiver, happen):
        happen()

        Chaos(duplicates=3, drop_percent=100).save()

        assert send_due(10) == 1

    def test_leaves_an_event_alone_that_had_its_number_before(self, endpoint, happen):
        begun = Chaos(duplicates=3, same_second=True).save()
        Emulation.objects.update(chaos={"duplicates": 3, "first_event": begun.first_event + 1})

        assert happen().deliveries.count() == 1
        assert happen().deliveries.count() == 4

    def test_drops_an_event_with_all_of_its_copies(self, endpoint, receiver, happen):
        Chaos(duplicates=3, drop_percent=100).save()
        happen()

        assert send_due(10) == 0
        assert Delivery.objects.get().state == DeliveryState.DROPPED

    def test_delays_by_the_emulators_clock(self, endpoint, receiver, happen, pass_time):
        Chaos(delay_seconds=1000).save()
        for _ in range(10):
            happen()

        at_once = send_due(100)
        pass_time(1001)
        later = send_due(100)

        assert at_once < 10
        assert at_once + later == 10

    def test_pretends_that_all_was_created_in_one_second(self, endpoint, receiver, happen):
        begun = Chaos(same_second=True).save()

        event = happen()
        send_due(10)

        event.refresh_from_db()
        assert event.created == begun.began_at
        assert receiver.events[0]["created"] == begun.began_at

    def test_gives_an_event_a_twin_of_live_mode(self, endpoint, receiver, happen):
        Chaos(wrong_livemode_percent=100).save()
        happen()

        send_due(10)

        own, twin = receiver.events
        assert (own["livemode"], own["data"]["object"]["livemode"]) == (False, False)
        assert (twin["livemode"], twin["data"]["object"]["livemode"]) == (True, True)
        assert twin["id"] != own["id"]

    @pytest.mark.parametrize("own", ["2023-10-16", "2026-10-28.endive"])
    def test_sends_the_other_version(self, make_endpoint, receiver, happen, own):
        make_endpoint(api_version=own)
        Chaos(other_version_percent=100).save()
        happen()

        send_due(10)

        assert {receiver.events[0]["api_version"], own} == {"2023-10-16", "2026-10-28.endive"}

    def test_in_rotation_puts_another_signature_first(self, endpoint, receiver, happen):
        Chaos(rotation=True).save()
        happen()

        send_due(10)

        (request,) = receiver.received
        _time, first, second = request.signature.split(",")
        assert first != second
        assert request.is_signed_with(SECRET)

    def test_finds_nobody_at_the_first_try(self, endpoint, receiver, happen, pass_time):
        Chaos(unreachable_percent=100).save()
        happen()

        send_due(10)
        nobody = len(receiver.received)
        pass_time(RETRIES[0])
        send_due(10)

        assert (nobody, len(receiver.received)) == (0, 1)
        assert Delivery.objects.get().state == DeliveryState.DELIVERED

    def test_loses_an_answer_and_sends_again(self, endpoint, receiver, happen, pass_time):
        Chaos(lost_answer_percent=100).save()
        happen()

        send_due(10)
        pass_time(RETRIES[0])
        send_due(10)

        assert len(receiver.received) == 2
        assert [each.status_code for each in DeliveryAttempt.objects.order_by("pk")] == [None, 200]

    def test_lets_answers_come_late(self, endpoint, happen):
        Chaos(slow_seconds=1).save()
        happen()

        send_due(10)

        assert DeliveryAttempt.objects.get().seconds > 1

    def test_lets_answers_come_too_late(self, endpoint, receiver, happen, monkeypatch):
        monkeypatch.setattr("stripe_emulator.events.sending.TIMEOUT", 0.5)
        Chaos(slow_seconds=60).save()
        happen()

        send_due(10)

        assert len(receiver.received) == 1
        assert "No answer" in DeliveryAttempt.objects.get().error
