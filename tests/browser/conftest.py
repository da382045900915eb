"""A whole site of real processes and one browser for all tests here; each has its own activity, people and client."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from zlib import crc32

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from registrations.models import Activity
from tests.browser.buyer import Buyer
from tests.browser.examination import DESKTOP
from tests.browser.visitor import Visitor
from tests.support.browser import NoChromium, find_chromium, running_browser
from tests.support.deep import DEEP
from tests.support.site import Site, running_site

LOCALES = {"fr": "fr-FR", "en": "en-GB"}
Enter = Callable[..., Any]
_clients, _activities = count(1), count(1)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.browser)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each test in one language, in turn; in both where DEEP is set."""
    left_out = [] if DEEP else [item for item in items if _has_its_turn_in_the_other(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _has_its_turn_in_the_other(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if item.get_closest_marker("browser") is None or "language" not in params:
        return False
    name = item.nodeid.partition("[")[0]
    return bool(params["language"] != ("fr", "en")[crc32(name.encode()) % 2])


@pytest.fixture(scope="package")
def chromium() -> str:
    try:
        return find_chromium()
    except NoChromium as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="package")
def site(
    chromium: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Only where there is a browser for it."""
    with django_db_blocker.unblock(), running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package")
def browser(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Playwright keeps an event loop running in this thread: Django takes us for asynchronous code, which it guards
    against, and keeps other connections for us than it does without."""
    with pytest.MonkeyPatch.context() as patch, running_browser(tmp_path_factory.mktemp("browser")) as browser:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield browser
        connections.close_all()


@pytest.fixture
def db(site: Site) -> None:
    """The tests' database with all that the tests here have committed: nothing is rolled back, nothing emptied."""


@pytest.fixture(params=["fr", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def enter(browser: Browser, site: Site, language: str, db: None) -> Iterator[Enter]:
    """Lets people in, each with a browser of their own; in the end none of their browsers has complained."""
    everybody: list[Visitor] = []

    def let_in(who: type[Visitor] = Buyer, *, language: str = language) -> Any:
        number = next(_clients)
        context = browser.new_context(
            locale=LOCALES[language],
            viewport=DESKTOP,
            extra_http_headers={"X-Forwarded-For": f"10.0.{number // 250}.{number % 250 + 1}"},
        )
        everybody.append(who(context, language=language, site=site))
        return everybody[-1]

    yield let_in
    for visitor in everybody:
        visitor.context.close()
    assert [complaint for visitor in everybody for complaint in visitor.watch.complaints] == []


@pytest.fixture
def buyer(enter: Enter) -> Buyer:
    return enter(Buyer)


@pytest.fixture
def make_activity(db: None) -> Iterator[Callable[..., Activity]]:
    """Activities that only this test has in the catalogue."""
    made = []

    def make(*, price: int = 4900, capacity: int = 10, **fields: object) -> Activity:
        number = next(_activities)
        usual = {"title": f"Raku {number}", "place": "Lyon", "starts_at": timezone.now() + timedelta(days=30)}
        made.append(
            Activity.objects.create(slug=f"raku-{number}", price=price, capacity=capacity, **{**usual, **fields})
        )
        return made[-1]

    yield make
    Activity.objects.filter(pk__in=[activity.pk for activity in made]).update(is_on_sale=False)


@pytest.fixture
def activity(make_activity: Callable[..., Activity]) -> Activity:
    return make_activity()
