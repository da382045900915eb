"""Whatever strangers and odd buyers send: no 5xx, and nothing is kept that is not truly signed and whole."""

import json
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from payments.ledger.models import PaymentEvent
from tests.support.signing import URL, body_of, make_event, signature_of, signed_post

pytestmark = pytest.mark.django_db
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
odd_text = st.text(st.characters() | st.sampled_from("\x00\ud800\udfff😀"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | odd_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_text, inner, max_size=4),
    max_leaves=15,
)
header_text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
near_signatures = st.builds(
    "{}={},{}={}".format,
    st.sampled_from(["t", "T", "", "v1"]),
    header_text | st.integers().map(str),
    st.sampled_from(["v1", "v0", ""]),
    header_text,
)


def kept():
    return PaymentEvent.objects.count()


class TestAnything:
    @many
    @given(body=st.binary(max_size=300), signature=header_text | near_signatures)
    def test_unsigned_is_refused_and_not_kept(self, client, body, signature):
        response = client.post(URL, body, content_type="application/json", HTTP_STRIPE_SIGNATURE=signature)

        assert response.status_code == 400
        assert kept() == 0

    @many
    @given(body=st.binary(max_size=300) | odd_text.map(lambda text: text.encode(errors="replace")))
    @example(b"\xef\xbb\xbf{}")
    @example(b"[" * 3000)
    def test_signed_but_no_event_is_refused_and_not_kept(self, client, body):
        try:
            signature = signature_of(body)
        except UnicodeDecodeError:
            signature = f"t={int(time.time())},v1=00"

        response = client.post(URL, body, content_type="application/json", HTTP_STRIPE_SIGNATURE=signature)

        assert response.status_code == 400
        assert kept() == 0

    @many
    @given(field=st.sampled_from(sorted(make_event())), value=json_values)
    @example(field="created", value=True)
    @example(field="created", value=float("inf"))
    def test_with_one_odd_field_is_kept_exactly_when_it_is_acknowledged(self, client, field, value):
        before = kept()

        response = signed_post(client, {**make_event(), field: value})

        assert response.status_code in (200, 400)
        assert kept() - before == (response.status_code == 200)

    @many
    @given(value=json_values.filter(lambda value: "Infinity" not in json.dumps(value)), name=odd_text)
    def test_that_a_buyer_can_type_is_kept(self, client, value, name):
        event = make_event(object={"metadata": {name: value}})
        if "NaN" in json.dumps(event):
            return

        response = signed_post(client, body_of(event))

        assert response.status_code == 200
        assert PaymentEvent.objects.filter(stripe_event_id=event["id"]).exists()
