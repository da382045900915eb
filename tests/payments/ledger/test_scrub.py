import pytest

from payments.ledger.read_event import MAX_DEPTH, TooDeep, scrub


def nested(levels):
    value: dict | list = {}
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return value


class TestScrub:
    @pytest.mark.parametrize("name", ["client_secret", "confirmation_secret"])
    def test_removes_secrets_at_any_depth(self, name):
        event = {"data": {"object": {name: "pi_1_secret_x", "lines": [{name: {"client_secret": "y"}}]}}}

        assert scrub(event) == {"data": {"object": {"lines": [{}]}}}

    @pytest.mark.parametrize("name", ["url", "hosted_invoice_url", "receipt_url", "invoice_pdf"])
    @pytest.mark.parametrize("link", ["https://pay.stripe.com/x", "http://x", "HTTPS://X", " https://x"])
    def test_removes_links_that_open_a_payment(self, name, link):
        assert scrub({"after": [{name: link, "id": "in_1"}]}) == {"after": [{"id": "in_1"}]}

    @pytest.mark.parametrize("name", ["success_url", "cancel_url", "return_url", "curl", "note"])
    def test_keeps_our_own_links_and_other_fields(self, name):
        assert scrub({name: "https://example.com"}) == {name: "https://example.com"}

    @pytest.mark.parametrize("value", ["/v1/refunds", None, {"amount": 1}, ["https://x"], True])
    def test_keeps_what_is_no_link(self, value):
        assert scrub({"url": value}) == {"url": value}

    def test_makes_odd_text_storable_in_names_too(self):
        odd = {"a\x00b": "c\ud800d", "list": ["\udfff", "\x00"], "fine": "é 😀 \u0001"}

        assert scrub(odd) == {"a�b": "c�d", "list": ["�", "�"], "fine": "é 😀 \u0001"}

    def test_leaves_what_it_was_given_as_it_was(self):
        event = {"client_secret": "x", "list": [{"url": "https://x"}]}

        scrub(event)

        assert event == {"client_secret": "x", "list": [{"url": "https://x"}]}

    def test_takes_as_many_levels_as_stripe_might_send(self):
        assert scrub(nested(MAX_DEPTH)) == nested(MAX_DEPTH)

    @pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 900, 100_000])
    def test_refuses_to_walk_deeper(self, levels):
        with pytest.raises(TooDeep):
            scrub(nested(levels))
