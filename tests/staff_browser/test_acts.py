"""Every act of staff in a real browser: the button, the page that says what will happen, and that it has happened.

Which acts there are is asked of the admin: a new one without a walk fails here.
"""

import pytest

from payments.stripe_api.lookups import ThrottledStripe
from tests.browser.test_standing import without_refresh
from tests.staff_browser import form_walks, order_walks, product_walks, subscription_walks  # noqa: F401
from tests.staff_browser.clerk import WALKS, Clerk, every_act
from tests.support.deep import DEEP
from tests.support.subscriber import emulate

LOCALES = ("en-GB", "fr-FR")


@pytest.fixture
def stripe_api(monkeypatch):
    """Asked as often as one likes."""
    monkeypatch.setitem(ThrottledStripe.__init__.__kwdefaults__, "calls_per_second", 1_000_000.0)
    return emulate(monkeypatch)


def clerks(page, url, locale):
    """One for each act whose turn it is in this language; where DEEP is set, for all: as they go about it in one
    language, they do not in the other.
    """
    turn = LOCALES.index(locale)
    acts = sorted(WALKS) if DEEP else sorted(WALKS)[turn::2]
    for number, act in enumerate(acts):
        schemes = ("light", "dark") if DEEP else (("light", "dark")[(number + turn) % 2],)
        by_list = (number // 2 + turn) % 2 == 0
        yield Clerk(page, url, language=locale[:2], act=act, schemes=schemes, by_list=by_list)


class TestActs:
    def test_are_all_walked(self):
        assert set(WALKS) == set(every_act())

    @pytest.mark.browser
    @pytest.mark.parametrize("locale", LOCALES)
    def test_say_what_they_will_do_and_do_it(self, page, url, locale, stripe_api, subtests):
        page.route("**/payments/replayrun/*/change/", without_refresh)
        page.route("**/payments/incident/*/change/", without_refresh)
        for clerk in clerks(page, url, locale):
            with subtests.test(clerk.act):
                WALKS[clerk.act](clerk)
