"""The order in which shuffled events are sent."""

import pytest

from stripe_emulator.events import claim
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.sending import send_due
from stripe_emulator.models import Delivery, Event
from tests.support.processes import wait_until


class TestShuffling:
    @pytest.fixture
    def run(self, endpoint, receiver, happen, monkeypatch):
        """Thirty events under a seed, sent while they happen; the order of arrival, counted from the first."""

        def run(seed):
            monkeypatch.setattr(claim, "_tide", claim.Tide())
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
        monkeypatch.setattr(claim, "_tide", claim.Tide())
        Chaos(shuffle=1000).save()
        happen()

        at_once = send_due(10)
        monkeypatch.setattr(claim, "QUIET", 0.0)
        when_quiet = send_due(10)

        assert (at_once, when_quiet) == (0, 1)
