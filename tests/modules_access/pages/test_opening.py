from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from modules_access.jwt import mint_pass, mint_token, read_token
from modules_access.models import ModuleAccess
from modules_access.pages.opening import NotReachable, find_origin, origin_of, with_token
from modules_access.services.verify import verify
from tests.support.factories import NOON
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token
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
        claims = read_token(token_in(browser.post(open_address(access))), audience=module.audience, at=NOON)

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


ODD = [
    "javascript:alert(1)", "//learn.example/x", "ftp://learn.example/", "https:///x", "https://", "", "learn.example",
    "https://user@learn.example/", "https://a;script-src%20*/", "https://a b/", "https://a,b/", "https://a..b/",
    "https://[::1/", "https://*/",
]  # fmt: skip


class TestWithToken:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://learn.example", "https://learn.example?token=t.o.k"),
            ("https://learn.example/a?b=%20c&d#e", "https://learn.example/a?b=%20c&d&token=t.o.k#e"),
            ("https://learn.example/?token=old&a=1", "https://learn.example/?a=1&token=t.o.k"),
            ("http://127.0.0.1:8000/demo/", "http://127.0.0.1:8000/demo/?token=t.o.k"),
        ],
    )
    def test_keeps_what_the_address_has(self, url, expected):
        assert with_token(url, "t.o.k") == expected

    @pytest.mark.parametrize("url", ODD)
    def test_leads_nobody_to_anything_else(self, url):
        with pytest.raises(NotReachable):
            with_token(url, "t.o.k")

    def test_sends_no_token_through_the_open_in_production(self, settings):
        settings.PRODUCTION = True

        assert with_token("https://learn.example/", "t")
        with pytest.raises(NotReachable):
            with_token("http://learn.example/", "t")


class TestOriginOf:
    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://Learn.Example:8443/a?b", "https://learn.example:8443"),
            ("https://élan.example/", "https://xn--lan-9la.example"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ],
    )
    def test_is_as_a_policy_names_it(self, url, origin):
        assert origin_of(url) == find_origin(url) == origin

    @pytest.mark.parametrize("url", ODD)
    def test_is_none_for_anything_else(self, url):
        assert find_origin(url) is None


def enter(visitor, raw: str, slug: str = "drawing"):
    return visitor.get(f"/demo/module/{slug}/", {"token": raw})


class TestDemoRoom:
    def test_says_who_has_come_in_until_when_and_how_often_one_can_come_again(self, visitor, ada, module):
        response = enter(visitor, mint_token(make_token(ada, module, uses=10), at=NOON))

        assert response.status_code == 200
        page = text_of(response)
        assert "Come in, ada@example.com" in page
        assert "Level standard Until Thursday, March 5, 2026 at 1 p.m. Uses left 9" in page
        assert response["Referrer-Policy"] == "no-referrer"

    def test_takes_the_pass_with_which_people_open_a_module(self, visitor, ada, module):
        page = text_of(enter(visitor, mint_pass(make_grant(ada, module), at=NOON)))

        assert "Until Lifetime access Uses left not counted" in page

    @pytest.mark.parametrize(
        ("at", "slug", "code"),
        [(NOON - timedelta(days=1), "drawing", "token_expired"), (NOON, "singing", "token_audience")],
    )
    def test_says_why_nobody_comes_in(self, visitor, ada, module, at, slug, code):
        make_module("singing")
        raw = mint_pass(make_grant(ada, module), at=at)

        response = enter(visitor, raw, slug)

        assert response.status_code == 403
        assert "Nobody comes in" in text_of(response)
        assert code in text_of(response)

    @pytest.mark.usefixtures("module")
    @pytest.mark.parametrize("raw", ["", "x", "<b>", "a.b.c"])
    def test_needs_a_token(self, visitor, raw):
        assert enter(visitor, raw).status_code == 403

    def test_does_not_exist_in_production(self, visitor, module, settings):
        settings.PRODUCTION = True

        assert enter(visitor, "x").status_code == 404

    def test_knows_no_other_module(self, visitor):
        assert enter(visitor, "x").status_code == 404
