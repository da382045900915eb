import random
from datetime import timedelta

import pytest

from payments.backfill import walk as module
from payments.backfill.walk import BudgetSpent, EventWalk
from payments.handlers.registry import handled_types
from payments.stripe_api import lookups
from tests.payments.backfill.conftest import NOW


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """Pages of two events, and no more than three of them in memory."""
    for each in (module, lookups):
        monkeypatch.setattr(each, "MAX_PAGE_SIZE", 2)
    monkeypatch.setattr(module, "MAX_PAGES", 3)


@pytest.fixture
def slices(unhurried):
    """What a walk over the last day brings, a list of ids for each slice; `budget` as the run's."""

    def slices(*, budget=1000, since=timedelta(days=1)):
        events = EventWalk(unhurried, budget)
        parts = list(events.slices(since=NOW - since, until=NOW))
        assert events.requests <= budget
        return [[raw["id"] for raw in part.missing] for part in parts]

    return slices


def flat(slices):
    return [each for part in slices for each in part]


class TestSlices:
    def test_come_from_the_oldest_on_whatever_crowds_together(self, slices, happen):
        dice = random.Random(7)
        quiet = [dice.randrange(24 * 3600) for _ in range(10)]
        crowded = [dice.randrange(5000, 5060) for _ in range(20)]
        made = {happen(ago=ago): ago for ago in (*quiet, *crowded)}

        found = flat(slices())

        assert sorted(found) == sorted(made)
        assert [made[each] for each in found] == sorted(made.values(), reverse=True)

    def test_bear_a_second_in_which_more_happens_than_memory_should_hold(self, slices, happen):
        made = [happen(ago=600) for _ in range(9)]

        assert flat(slices(since=timedelta(hours=1))) == made

    def test_ask_for_what_is_handled_and_for_nothing_else(self, slices, happen):
        last = handled_types()[-1]
        happen("balance.available")

        wanted = happen(last)

        assert len(handled_types()) > module.MAX_TYPES, "it stands in another question than the first"
        assert flat(slices()) == [wanted]

    def test_take_a_long_silence_in_few_questions(self, slices, unhurried):
        events = EventWalk(unhurried, budget=30)

        list(events.slices(since=NOW - timedelta(days=30), until=NOW))

        assert events.requests <= 2 * 9

    def test_have_what_a_test_clock_dates_later_than_now(self, slices, happen):
        later = happen(ago=-3600)

        assert flat(slices()) == [later]

    def test_end_with_the_budget(self, slices, happen):
        happen()

        with pytest.raises(BudgetSpent):
            slices(budget=3)
