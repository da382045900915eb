"""What goes wrong on purpose, and that the same seed lets it go wrong in the same way."""

import pytest

from stripe_emulator.events.chaos import GREATEST, Chaos, ChaosRefused
from stripe_emulator.models import Event

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
