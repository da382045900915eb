from datetime import timedelta

import pytest

from accounts.links import password_url
from accounts.tokens import link_tokens
from config.redact import MASK, redact_text
from tests.support.factories import NOON

pytestmark = pytest.mark.django_db


class TestLinkTokens:
    def test_is_good_for_whom_it_was_made(self, begun, camille):
        token = link_tokens.make_token(begun)

        assert link_tokens.check_token(begun, token)
        assert not link_tokens.check_token(camille, token)

    @pytest.mark.parametrize(
        "change",
        [
            {"password": "!another"},
            {"email": "moved@example.com"},
            {"last_login": NOON},
            {"email_confirmed_at": NOON},
            {"is_active": False},
        ],
    )
    def test_is_spent_when_the_account_has_moved_on(self, begun, change):
        token = link_tokens.make_token(begun)
        for name, value in change.items():
            setattr(begun, name, value)

        assert not link_tokens.check_token(begun, token)

    @pytest.mark.parametrize("token", ["", None, "x", "_secret_", "-", "é_secret_é"])
    def test_is_nothing_else(self, begun, token):
        assert not link_tokens.check_token(begun, token)

    def test_ends_after_24_hours(self, begun, time_machine):
        token = link_tokens.make_token(begun)
        time_machine.move_to(NOON + timedelta(hours=24, seconds=1))

        assert not link_tokens.check_token(begun, token)

    def test_is_masked_wherever_its_address_is_logged(self, begun):
        url = password_url(begun)
        code = url.split("_secret_")[1].strip("/")

        masked = redact_text(f"Internal Server Error: {url}")

        assert MASK in masked
        assert code not in masked
