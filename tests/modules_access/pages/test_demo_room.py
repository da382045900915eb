from datetime import timedelta

import pytest

from modules_access.jwt import mint_pass, mint_token
from tests.support.factories import NOON
from tests.support.modules import make_grant, make_module, make_token
from tests.support.pages import text_of


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

        assert "Until Without end Uses left not counted" in page

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
