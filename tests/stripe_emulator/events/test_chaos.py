"""What chaos makes of events on their way."""

import pytest

from stripe_emulator.events import deliver
from stripe_emulator.events.chaos import GREATEST, Chaos, ChaosRefused
from stripe_emulator.events.deliver import RETRIES
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, Emulation, Event
from tests.stripe_emulator.events.conftest import SECRET
from tests.support.emulator import send_due
from tests.support.processes import wait_until

STORM = Chaos(
    seed=7,
    duplicates=2,
    shuffle=20,
    delay_seconds=60,
    drop_percent=30,
    wrong_livemode_percent=30,
    other_version_percent=30,
    unreachable_percent=30,
    lost_answer_percent=30,
)


def decisions(chaos, *, first=0, endpoint=0):
    return [chaos.copies(first + k, endpoint=endpoint) for k in range(200)]


class TestTheSeed:
    def test_decides_everything(self):
        again = Chaos(**{name: getattr(STORM, name) for name in STORM.__dataclass_fields__})

        assert decisions(again) == decisions(STORM)

    def test_counts_from_the_first_event_on(self, db):
        begun = STORM.save()

        assert decisions(begun, first=begun.first_event) == decisions(STORM)

    def test_when_it_is_another_decides_otherwise(self):
        assert decisions(Chaos(seed=8, drop_percent=30)) != decisions(Chaos(seed=7, drop_percent=30))

    def test_decides_for_each_endpoint_by_itself(self):
        assert decisions(STORM, endpoint=1) != decisions(STORM, endpoint=0)

    def test_keeps_its_drops_when_another_setting_changes(self):
        alone = [copies[0].is_dropped for copies in decisions(Chaos(seed=7, drop_percent=30))]

        assert [copies[0].is_dropped for copies in decisions(STORM)] == alone
        assert 30 < sum(alone) < 90

    def test_starts_at_the_next_event_even_after_numbers_were_lost(self, endpoint, happen):
        happen()
        Event.objects.all().delete()

        begun = Chaos(duplicates=1).save()

        assert happen().number == begun.first_event


class TestSettings:
    @pytest.mark.parametrize("name", GREATEST)
    @pytest.mark.parametrize("value", [-1, 2**60, True, 1.5, "3", None])
    def test_beyond_their_limits_are_refused(self, name, value):
        with pytest.raises(ChaosRefused, match=name):
            Chaos(**{name: value})

    def test_of_switches_are_on_or_off(self):
        with pytest.raises(ChaosRefused, match="rotation"):
            Chaos(rotation=1)

    def test_are_kept_for_every_process(self, db):
        STORM.save()

        assert Chaos.current().drop_percent == 30
        assert Chaos.current().is_on

    def test_that_do_nothing_switch_it_off(self, db):
        STORM.save()

        Chaos(seed=3).save()

        assert Chaos.current() == Chaos()


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
        monkeypatch.setattr("stripe_emulator.events.deliver.TIMEOUT", 0.5)
        Chaos(slow_seconds=60).save()
        happen()

        send_due(10)

        assert len(receiver.received) == 1
        assert "No answer" in DeliveryAttempt.objects.get().error


class TestShuffling:
    @pytest.fixture
    def run(self, endpoint, receiver, happen, monkeypatch):
        """Thirty events under a seed, sent while they happen; the order of arrival, counted from the first."""

        def run(seed):
            monkeypatch.setattr(deliver, "_newest_event", deliver.NewestEvent())
            begun = Chaos(seed=seed, shuffle=8, duplicates=1).save()
            receiver.received.clear()
            for _ in range(30):
                happen()
                send_due(100)
            wait_until(lambda: send_due(100) or not Delivery.objects.filter(state="pending").exists())
            numbers = dict(Event.objects.values_list("stripe_id", "number"))
            return [numbers[event["id"]] - begun.first_event for event in receiver.events], begun

        return run

    def test_sends_in_the_same_order_under_the_same_seed(self, run):
        first, _begun = run(5)
        second, _begun = run(5)
        other, _begun = run(6)

        assert first == second
        assert first != other

    def test_sends_in_the_order_of_the_plan(self, run):
        arrived, begun = run(5)

        planned = Delivery.objects.order_by("position").values_list("event__number", flat=True)
        assert arrived == [number - begun.first_event for number in planned]
        assert arrived != sorted(arrived)

    def test_moves_nothing_further_than_its_window(self, run):
        arrived, _begun = run(5)

        last = {number: place for place, number in enumerate(arrived)}
        assert sorted(arrived) == sorted([*range(30)] * 2)
        assert all(last[early] < last[late] for early in range(30) for late in range(early + 10, 30))

    def test_holds_back_what_may_still_be_overtaken_until_it_is_quiet(self, endpoint, happen, monkeypatch):
        monkeypatch.setattr(deliver, "_newest_event", deliver.NewestEvent())
        Chaos(shuffle=1000).save()
        happen()

        at_once = send_due(10)
        monkeypatch.setattr(deliver, "QUIET_SECONDS", 0.0)
        when_quiet = send_due(10)

        assert (at_once, when_quiet) == (0, 1)
