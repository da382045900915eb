import pytest

from accounts import overview
from accounts.overview import Section, account_section, sections_for
from tests.support.factories import NOON


@pytest.mark.django_db
class TestSectionsFor:
    def test_asks_the_apps_in_their_order(self, camille, monkeypatch):
        monkeypatch.setattr(overview, "_tellers", [])
        for title in ("First", "Second"):
            account_section(lambda user, at, title=title: Section(title, "x.html", {"user": user, "at": at}))

        sections = sections_for(camille, at=NOON)

        assert [section.title for section in sections] == ["First", "Second"]
        assert sections[0].context == {"user": camille, "at": NOON}
