import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import _SECRETS, _SUSPICIOUS, MASK, redact, redact_text

SECRETS = [
    "whsec_abcDEF123+/=",
    "sk_live_51AbC",
    "sk_test_abc",
    "rk_live_abc",
    "pk_test_abc",
    "sk_test_****************abcd",
    "pi_3Abc_secret_4dEf",
    "seti_1_secret_abc",
    "cs_test_a1_secret_fidwbEhq",
    "pm_1AbCdEf",
    "pm_card_visa",
    "card_1AbCdEf",
    "src_1AbC",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi",
    "t=1790000000,v1=5257a869e7ecebeda32affa62cdca3fa",
    "v0=6ffbb59b2300aae63f272406069a9788",
    "5f0c8a3e-1111-4222-8333-0123456789ab:hunter2-hunter2_hunter2",
    "5F0C8A3E-1111-4222-8333-0123456789AB%3Ahunter2",
    "/registrations/5f0c8a3e-1111-4222-8333-0123456789ab%253Ahunter2/pay",
    "/waiting/confirm/17:hunter2-hunter2_hunter2-hunter2_hunter2-wxy/next",
    "/waiting/confirm/17%3Ahunter2-hunter2_hunter2-hunter2_hunter2-wxy",
    "https://billing.stripe.com/p/session/test_hunter2",
    "https://invoice.stripe.com/i/acct_1/live_hunter2",
    "https://checkout.stripe.com/c/pay/cs_test_a1#hunter2",
    "?token=hunter2",
    "access_token%3Dhunter2",
    '"csrfmiddlewaretoken": "hunter2"',
    "sessionid=hunter2",
    "mk_prefix12_hunter2-hunter2_hunter2",
    "Bearer abc.def-123",
    "Basic dXNlcjpwYXNzd29yZA==",
    "postgres://app:hunter2@db/x",
    "password=hunter2",
    "'password': 'hunter2 and more'",
    'client_secret="abc"',
    "Authorization: abc",
    "authorization: Bearer abc.def",
    "Authorization: Basic dXNl",
    "zoe.martin+tag@mail.example.co.uk",
    "zoé@exämple.fr",
    "zoe%40example.com",
]
TELLTALES = [
    "abcDEF", "51AbC", "_abc", "abcd", "4dEf", "fidw", "1AbC", "visa", "hbGci", "zdWI", "5257", "6ffb", "abc.def",
    "dXNl", "hunter2", "more", '"abc', ": abc", "martin", "zoé", "oe%40", "exämple",
]  # fmt: skip


class TestRedactText:
    @pytest.mark.parametrize("secret", SECRETS)
    @pytest.mark.parametrize("around", ["{}", "No such thing: '{}'; ask.", '{{"key": "{}"}}', "a={}&b=1", "({})\n"])
    def test_masks_secrets_wherever_they_stand(self, secret, around):
        redacted = redact_text(around.format(secret))

        assert MASK in redacted
        assert secret not in redacted
        assert not any(part in redacted for part in TELLTALES)

    @pytest.mark.parametrize(
        "harmless",
        [
            "order.moved",
            "evt_1QxYz cs_test_a1B2 pi_3Abc ch_1 re_1 du_1 sub_1 in_1 cus_1 acct_1 req_1",
            "card_declined, insufficient_funds, card_error",
            "/run/secrets/stripe_secret_key is missing: set STRIPE_SECRET_KEY",
            "http://127.0.0.1:8000/orders/12?page=2",
            "total=12, v2=3",
            "registration.failed:21:ch_3PnbLSqbBxthy7Lt64XuNlgj",
            "at 12:30, d0nmf6-5257a869e7ecebeda32affa62cdca3fa, follow_plan:4bc505783b1347d78fd55d450aa45cb4:0",
            "registration 5f0c8a3e-1111-4222-8333-0123456789ab: paid",
            "refund:5f0c8a3e-1111-4222-8333-0123456789ab:staff:0:1",
            "refund:5f0c8a3e-1111-4222-8333-0123456789ab:again:refund:5f0c8a3e-1111-4222-8333-0123456789ab:late:7:1",
            "The token has expired.",
            "password is wrong, signature matches none",
            "4 @ 5, @staff, a@b",
        ],
    )
    def test_leaves_what_people_search_for(self, harmless):
        assert redact_text(harmless) == harmless

    def test_tells_what_kind_of_secret_it_was(self):
        assert redact_text("whsec_abc zoe@example.com pi_1_secret_2") == "whsec_*** z***@***.com pi_1_secret_***"

    @pytest.mark.parametrize("evil", ["a", "a.", "a@", "a-b.c@", "_secret_", "t=1,v1=", "eyJ.", "://a:", "%40"])
    def test_takes_its_time_in_proportion(self, evil):
        once, fourfold = (evil * (length // len(evil)) for length in (50_000, 200_000))

        assert seconds_for(fourfold) < 10 * seconds_for(once), "of a square it would be 16 times as much"


def seconds_for(text: str) -> float:
    """Of this process's own time; the shortest of three, what else happened meanwhile left out."""

    def once() -> float:
        began = time.process_time()
        redact_text(text)
        return time.process_time() - began

    return min(once() for _ in range(3))


class TestRedact:
    @pytest.mark.parametrize(
        "name", ["client_secret", "payment_method", "Authorization", "signature", "Stripe-Signature", "password"]
    )
    def test_masks_fields_by_their_name_at_any_depth(self, name):
        redacted = redact({"a": [{"b": ({name: "plain"}, {name: {"deep": "plain"}})}]})

        assert redacted == {"a": [{"b": [{name: MASK}, {name: MASK}]}]}

    def test_masks_keys_too(self):
        assert redact({"zoe@example.com": 1}) == {"z***@***.com": 1}

    def test_keeps_what_is_no_text(self):
        values = [1, 1.5, True, None]

        assert redact(values) == values

    def test_spells_out_other_values_before_a_renderer_does(self):
        when = datetime(2026, 9, 21, tzinfo=UTC)

        assert redact([Decimal("1.50"), when, b"sk_live_abc", {"whsec_abc"}, ValueError("whsec_abc")]) == [
            "1.50",
            "2026-09-21 00:00:00+00:00",
            "b'sk_live_***'",
            ["whsec_***"],
            "ValueError('whsec_***')",
        ]

    def test_does_not_follow_a_circle(self):
        circle: dict = {}
        circle["again"] = circle

        assert "…" in str(redact(circle))


@given(st.lists(st.sampled_from(SECRETS) | st.text(max_size=3)).map("".join))
def test_looks_closely_at_whatever_hides_something(text):
    assert _SUSPICIOUS.search(text) or not _SECRETS.search(text)
