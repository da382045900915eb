import pytest

from accounts import hooks
from accounts.hooks import AccountExtension, Section, extend_accounts, join, sections_for
from tests.support.factories import NOON


class Shop(AccountExtension):
    """Something that is sold: it remembers for whom it was called."""

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.joined: list[object] = []

    def join_account(self, user, *, at):
        self.joined.append((user, at))

    def account_section(self, user, *, at):
        return Section(self.title, "x.html", {"user": user, "at": at}) if self.title else None


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch):
    monkeypatch.setattr(hooks, "_extensions", [])


@pytest.fixture
def shop():
    shop = Shop()
    extend_accounts(shop)
    return shop


@pytest.mark.django_db
class TestJoin:
    def test_calls_every_app_for_a_confirmed_address(self, camille, shop):
        join(camille, at=NOON)

        assert shop.joined == [(camille, NOON)]

    def test_calls_nobody_before_that(self, begun, shop):
        join(begun, at=NOON)

        assert shop.joined == []


@pytest.mark.django_db
class TestSectionsFor:
    def test_asks_the_apps_in_their_order(self, camille):
        for title in ("First", "Second"):
            extend_accounts(Shop(title))

        sections = sections_for(camille, at=NOON)

        assert [section.title for section in sections] == ["First", "Second"]
        assert sections[0].context == {"user": camille, "at": NOON}

    def test_leaves_out_who_has_nothing_to_show(self, camille, shop):
        assert sections_for(camille, at=NOON) == []
