from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from modules_access.jwt import read
from modules_access.models import ModuleAccess
from modules_access.services.verify import verify
from tests.support.factories import NOON
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_token
from tests.support.pages import text_of


@pytest.fixture
def access(ada, module) -> ModuleAccess:
    make_buyer(ada, module)
    return ModuleAccess.objects.get()


def open_address(access) -> str:
    return f"/encours/{access.pk}/open"


def token_in(response) -> str:
    return parse_qs(urlsplit(response["Location"]).query)["token"][0]


class TestOpenPage:
    def test_leads_to_the_module_with_a_token_that_it_verifies(self, browser, ada, module, access):
        response = browser.post(open_address(access))

        assert response.status_code == 303
        assert response["Location"].startswith("https://drawing.example/enter?token=")
        verified = verify(token_in(response), module=module, at=NOON)
        assert (verified.user, verified.module) == (ada, module)

    def test_makes_a_token_for_a_few_minutes(self, browser, module, access, settings):
        claims = read(token_in(browser.post(open_address(access))), audience=module.audience, at=NOON)

        assert claims.expires_at == NOON + timedelta(seconds=settings.MODULES.pass_seconds)
        assert claims.access_id == access.pk

    def test_tells_nobody_else_of_the_token(self, browser, access):
        response = browser.post(open_address(access))

        assert response["Referrer-Policy"] == "no-referrer"
        assert "no-store" in response["Cache-Control"]

    def test_counts_uses_of_a_token_when_the_module_asks_and_not_before(self, browser, ada, module):
        token = make_token(ada, module, uses=2)

        raw = token_in(browser.post(open_address(token.access)))

        token.refresh_from_db()
        assert token.used == 0
        assert verify(raw, module=module, at=NOON).uses_left == 1

    def test_says_that_the_access_has_ended_meanwhile(self, browser, access):
        give_back(access.order)

        response = browser.post(open_address(access), follow=True)

        assert response.redirect_chain == [("/encours/?ended=drawing", 303)]
        assert "This access to “Drawing” is no longer open." in text_of(response)

    def test_opens_nothing_that_has_expired_or_is_used_up(self, browser, ada, module):
        expired = make_grant(ada, module, expires_at=NOON, at=NOON - timedelta(days=1))
        token = make_token(ada, module, uses=1)
        token.used = 1
        token.save()

        for access in (expired, token.access):
            assert browser.post(open_address(access))["Location"] == "/encours/?ended=drawing"

    def test_knows_nothing_of_other_people(self, browser, module):
        access = make_grant(make_learner("eve@example.com"), module)

        assert browser.post(open_address(access)).status_code == 404
        assert browser.post("/encours/99999999999999999999/open").status_code == 404

    @pytest.mark.parametrize(
        ("url", "is_production"), [("javascript:alert(1)", False), ("http://drawing.example/", True)]
    )
    def test_leads_to_nothing_but_a_safe_page(self, browser, module, access, settings, url, is_production):
        module.url = url
        module.save()
        settings.PRODUCTION = is_production

        response = browser.post(open_address(access))

        assert response["Location"] == "/encours/?unreachable=drawing"
        assert "“Drawing” cannot be reached at the moment." in text_of(browser.get(response["Location"]))

    def test_is_a_post_of_who_is_signed_in(self, browser, access):
        assert browser.get(open_address(access))["Location"] == "/encours/"
        browser.logout()
        assert browser.post(open_address(access))["Location"].startswith("/account/sign-in/")

    def test_writes_no_token_into_the_log(self, browser, access, caplog):
        caplog.set_level("DEBUG")

        raw = token_in(browser.post(open_address(access)))

        assert "module.entered" in caplog.text
        assert raw not in caplog.text
