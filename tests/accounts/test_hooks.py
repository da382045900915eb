import pytest

from accounts import hooks
from accounts.hooks import Section, account_section, join, joins, sections_for
from tests.support.factories import NOON


@pytest.fixture
def calls(monkeypatch):
    """What the only registered function is called with."""
    monkeypatch.setattr(hooks, "_joiners", [])
    seen = []
    joins(lambda user, at: seen.append((user, at)))
    return seen


@pytest.mark.django_db
class TestJoin:
    def test_calls_every_app_for_a_confirmed_address(self, camille, calls):
        join(camille, at=NOON)

        assert calls == [(camille, NOON)]

    def test_calls_nobody_before_that(self, begun, calls):
        join(begun, at=NOON)

        assert calls == []


@pytest.mark.django_db
class TestSectionsFor:
    def test_asks_the_apps_in_their_order(self, camille, monkeypatch):
        monkeypatch.setattr(hooks, "_section_builders", [])
        for title in ("First", "Second"):
            account_section(lambda user, at, title=title: Section(title, "x.html", {"user": user, "at": at}))

        sections = sections_for(camille, at=NOON)

        assert [section.title for section in sections] == ["First", "Second"]
        assert sections[0].context == {"user": camille, "at": NOON}
