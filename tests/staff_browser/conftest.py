"""A browser in front of a server that is a thread of this process, and somebody who works in it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.examination import DESKTOP
from tests.browser.watch import Watch
from tests.support.browser import NoChromium, find_chromium, running_browser
from tests.support.everything import make_everything
from tests.support.factories import make_staff


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        find_chromium()
    except NoChromium as reason:
        pytest.skip(str(reason))
    with pytest.MonkeyPatch.context() as patch, running_browser(tmp_path_factory.mktemp("browser")) as browser:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield browser


@pytest.fixture
def url(live_server) -> str:
    return live_server.url.replace("localhost", "127.0.0.1")


@pytest.fixture
def locale() -> str:
    return "fr-FR"


@pytest.fixture
def page(browser, url, client, transactional_db, locale) -> Iterator[Page]:
    """Somebody who may do everything, and looks at a little of everything."""
    make_everything()
    client.force_login(make_staff(email="boss@example.com"))
    context = browser.new_context(locale=locale, viewport=DESKTOP)
    watch = Watch(context)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    yield context.new_page()
    context.close()
    assert watch.complaints == [], "\n".join(watch.complaints)
