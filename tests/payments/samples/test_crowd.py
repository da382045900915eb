from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from payments.samples.crowd import DOMAIN, MOMENT, choose, moments, person
from payments.samples.plots import Plot
from payments.samples.template import Blanks, Template

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
A_YEAR_AGO = NOON - timedelta(days=365)
QUICK, LONG, OPEN = Plot("quick", 1), Plot("long", 1), Plot("open", 1, is_open=True)


def lasting(**span: int) -> Template:
    return Template({}, Blanks({}), [], timedelta(**span))


TOLD = {QUICK: lasting(minutes=2), LONG: lasting(days=40), OPEN: lasting(seconds=0)}


class TestMoments:
    def test_lie_between_the_two_in_order_and_in_whole_seconds(self):
        found = moments(500, since=A_YEAR_AGO, at=NOON)

        assert found == sorted(found)
        assert A_YEAR_AGO <= found[0] < found[-1] < NOON
        assert not any(each.microsecond for each in found)

    def test_are_a_few_of_them_just_now_so_that_something_waits(self):
        lately = [each for each in moments(500, since=A_YEAR_AGO, at=NOON) if each > NOON - MOMENT]

        assert 12 <= len(lately) <= 15

    def test_are_all_the_same_where_the_day_has_just_begun(self):
        assert len(set(moments(3, since=NOON, at=NOON))) == 1


class TestChoose:
    @pytest.mark.parametrize(
        ("ago", "possible"),
        [
            (timedelta(seconds=10), {"open"}),
            (timedelta(minutes=3), {"open", "quick"}),
            (timedelta(days=2), {"quick"}),
            (timedelta(days=50), {"quick", "long"}),
        ],
    )
    def test_tells_nothing_of_the_future_and_lets_nothing_wait_for_long(self, ago, possible):
        dice = Random(1)

        chosen = [choose(TOLD, began=NOON - ago, at=NOON, dice=dice) for _ in range(60)]

        assert {plot.name for plot, template in TOLD.items() if template in chosen} == possible


class TestPerson:
    def test_is_always_the_same_and_nobody_else_has_the_address(self):
        people = [person(number) for number in range(2000)]

        assert people == [person(number) for number in range(2000)]
        assert len({each.email for each in people}) == 2000

    def test_lives_somewhere_and_has_an_address_that_nobody_can_have(self):
        someone = person(7)

        assert someone.city
        assert someone.email.endswith(f".7@{DOMAIN}")
        assert someone.email.isascii()
