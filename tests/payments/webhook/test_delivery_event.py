import hashlib

import pytest

from payments.ledger.read_event import MalformedEvent
from payments.webhook.delivery import parse
from tests.support.signing import body_of, make_event


def parsed(body):
    return parse(body, expected_livemode=False, expected_account="")


def code_of(body):
    with pytest.raises(MalformedEvent) as refused:
        parsed(body)
    return refused.value.code


class TestParse:
    def test_remembers_the_bytes_by_their_hash(self):
        body = body_of(make_event())

        assert parsed(body).body_sha256 == hashlib.sha256(body).hexdigest()

    def test_keeps_numbers_as_they_are(self):
        event = make_event(object={"big": 10**30, "rate": 0.1, "tiny": 1e-7})

        assert parsed(body_of(event)).payload["data"]["object"] == event["data"]["object"]

    @pytest.mark.parametrize("body", [b"\xff", b"\xc3", b'{"a": "\xed\xa0\x80"}', "é".encode("latin-1")])
    def test_refuses_what_is_not_utf8(self, body):
        assert code_of(body) == "not_utf8"

    @pytest.mark.parametrize(
        "body",
        [b"", b" ", b"{", b"{'a': 1}", b"\xef\xbb\xbf{}", b"{} {}", b'{"a": "\x00"}', b"1e999", b"-1e999"]
        + [b'{"a": %s}' % number for number in (b"NaN", b"Infinity", b"-Infinity", b"01", b"9" * 5000)],
    )
    def test_refuses_what_is_not_json(self, body):
        assert code_of(body) == "not_json"

    @pytest.mark.parametrize("levels", [65, 5_000, 500_000])
    @pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
    def test_refuses_what_is_too_deep(self, levels, opening, closing):
        body = b'{"object": "event", "a": ' + opening * levels + b"1" + closing * levels + b"}"

        assert code_of(body) == "too_deep"
