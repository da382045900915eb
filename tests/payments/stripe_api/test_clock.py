from datetime import timedelta

import pytest

from payments.stripe_api import clock
from tests.support.road import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nobody_is_told(monkeypatch):
    monkeypatch.setattr(clock, "_watchers", [])


class TestOffset:
    @pytest.mark.parametrize(
        ("said_at", "expected"),
        [
            (NOON + 5 * MINUTE, 5 * MINUTE - SECOND),
            (NOON - 5 * MINUTE, -5 * MINUTE),
            (NOON, timedelta(0)),
            (NOON + 2 * SECOND, timedelta(0)),
        ],
    )
    def test_is_what_the_last_answer_told(self, said_at, expected):
        clock.learn(said_at=said_at, asked_at=NOON, heard_at=NOON + SECOND)

        assert clock.offset(at=NOON + MINUTE) == expected

    def test_is_nothing_before_an_answer_and_long_after_one(self):
        assert clock.offset(at=NOON) == timedelta(0)

        clock.learn(said_at=NOON + 5 * MINUTE, asked_at=NOON, heard_at=NOON)

        assert clock.offset(at=NOON + timedelta(hours=1)) == timedelta(0)
