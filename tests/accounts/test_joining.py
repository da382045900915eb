import pytest

from accounts import joining
from accounts.joining import join, joins
from tests.support.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def calls(monkeypatch):
    """What the only registered function is called with."""
    monkeypatch.setattr(joining, "_joiners", [])
    seen = []
    joins(lambda user, at: seen.append((user, at)))
    return seen


class TestJoin:
    def test_calls_every_app_for_a_confirmed_address(self, camille, calls):
        join(camille, at=NOON)

        assert calls == [(camille, NOON)]

    def test_calls_nobody_before_that(self, begun, calls):
        join(begun, at=NOON)

        assert calls == []
