"""The gateway over real HTTP, with a server in Stripe's place."""

import socket
import traceback
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote

import pytest

from payments.stripe_api import clock, gateway
from payments.stripe_api.gateway import (
    GatewayRefused,
    GatewayUnavailable,
    KeyRefused,
    RateLimited,
    create_checkout_session,
    create_refund,
    expire_checkout_session,
    list_refunds,
    retrieve_checkout_session,
)
from tests.support.fake_stripe import fake_stripe
from tests.support.stripe_objects import ORDER, refund_object, session_object

KEY = "sk_test_" + "Abc123" * 4


@pytest.fixture
def stripe_server(settings, monkeypatch):
    """Stripe's address leads to a server of the test; a failure is not repeated for seconds."""
    monkeypatch.setattr(gateway, "MAX_RETRIES", 0)
    gateway._made.cache_clear()
    with fake_stripe() as fake:
        settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = fake.url, KEY
        yield fake
    gateway.stripe_client()._requestor._client.close()
    gateway._made.cache_clear()


def create():
    return create_checkout_session(params={"mode": "payment", "metadata": {"attempt": "2"}}, idempotency_key="o:2")


class TestClock:
    @pytest.mark.parametrize("status", [200, 400, 503])
    def test_is_learned_from_every_answer(self, stripe_server, monkeypatch, status):
        monkeypatch.setattr(clock, "_watchers", [])
        now = datetime.now(UTC)
        stripe_server.refuses(status, message="No.")
        if status == 200:
            stripe_server.body = session_object()
        stripe_server.date = format_datetime(now + timedelta(minutes=5), usegmt=True)

        with suppress(GatewayRefused, GatewayUnavailable):
            create()

        assert timedelta(minutes=4, seconds=50) < clock.offset(at=now) < timedelta(minutes=5, seconds=10)

    def test_stays_unknown_where_no_date_is_told(self, stripe_server):
        stripe_server.body, stripe_server.date = session_object(), "yesterday"

        create()

        assert clock.offset(at=datetime.now(UTC)) == timedelta(0)


class TestCreateCheckoutSession:
    def test_returns_the_session_in_our_words(self, stripe_server):
        stripe_server.body = session_object(status="open", url="https://pay.example/c", expires_at=1_700_000_000)

        session = create()

        assert (session.refs.session, session.refs.order, session.status) == ("cs_test_1", ORDER, "open")
        assert (session.url, session.expires_at.timestamp()) == ("https://pay.example/c", 1_700_000_000)

    def test_says_all_that_was_asked_for_under_the_pinned_version(self, stripe_server, settings):
        stripe_server.body = session_object()

        create()

        [asked] = stripe_server.asked
        assert (asked.method, asked.path) == ("POST", "/v1/checkout/sessions")
        assert parse_qs(asked.form) == {"mode": ["payment"], "metadata[attempt]": ["2"]}
        assert asked.headers["Stripe-Version"] == settings.STRIPE_API_VERSION
        assert asked.headers["Idempotency-Key"] == "o:2"

    def test_tells_nothing_about_this_machine(self, stripe_server):
        stripe_server.body = session_object()

        create(), create()

        assert all("X-Stripe-Client-Telemetry" not in asked.headers for asked in stripe_server.asked)
        assert "telemetry_id" not in stripe_server.asked[1].headers["X-Stripe-Client-User-Agent"]

    def test_tries_again_under_the_same_key_while_stripe_is_busy(self, stripe_server, monkeypatch):
        monkeypatch.setattr(gateway, "MAX_RETRIES", 1)
        stripe_server.refuses(503, message="busy")

        with pytest.raises(GatewayUnavailable):
            create()

        assert [asked.headers["Idempotency-Key"] for asked in stripe_server.asked] == ["o:2", "o:2"]


class TestRetrieveCheckoutSession:
    def test_asks_for_the_payment_with_it(self, stripe_server):
        stripe_server.body = session_object(payment_intent={"id": "pi_1", "status": "processing"})

        session = retrieve_checkout_session(session="cs_test_1")

        assert (session.refs.payment_intent, session.intent_status) == ("pi_1", "processing")
        assert unquote(stripe_server.asked[0].path) == "/v1/checkout/sessions/cs_test_1?expand[0]=payment_intent"

    def test_says_when_there_is_no_such_session(self, stripe_server):
        stripe_server.refuses(404, type="invalid_request_error", code="resource_missing", message="No such session")

        with pytest.raises(GatewayRefused, match="No such session") as refusal:
            retrieve_checkout_session(session="cs_test_1")

        assert (refusal.value.code, refusal.value.request_id) == ("resource_missing", "req_fake")


class TestExpireCheckoutSession:
    def test_ends_the_session(self, stripe_server):
        stripe_server.body = session_object(status="expired")

        session = expire_checkout_session(session="cs_test_1")

        assert session.status == "expired"
        assert stripe_server.asked[0].path == "/v1/checkout/sessions/cs_test_1/expire"


def give_back(amount=None):
    names = {"orderId": ORDER, "effect": "refund:o:1"}
    return create_refund(
        payment_intent="pi_1", amount=amount, reason="duplicate", metadata=names, idempotency_key="refund:o:1"
    )


class TestCreateRefund:
    def test_returns_the_refund_in_our_words(self, stripe_server):
        stripe_server.body = refund_object(metadata={"orderId": ORDER, "effect": "refund:o:1"})

        refund = give_back()

        assert (refund.id, refund.refs.order, refund.effect) == ("re_1", ORDER, "refund:o:1")

    def test_names_an_amount_only_where_it_is_a_part(self, stripe_server):
        stripe_server.body = refund_object()

        give_back(), give_back(1250)

        whole, part = [parse_qs(asked.form) for asked in stripe_server.asked]
        assert whole == {
            "payment_intent": ["pi_1"], "reason": ["duplicate"], "metadata[orderId]": [ORDER],
            "metadata[effect]": ["refund:o:1"],
        }  # fmt: skip
        assert part == {**whole, "amount": ["1250"]}
        assert {asked.headers["Idempotency-Key"] for asked in stripe_server.asked} == {"refund:o:1"}

    def test_tells_the_code_of_a_refusal(self, stripe_server):
        stripe_server.refuses(400, type="invalid_request_error", code="charge_disputed", message="Charged back.")

        with pytest.raises(GatewayRefused, match="Charged back") as refusal:
            give_back()

        assert refusal.value.code == "charge_disputed"

    @pytest.mark.parametrize("body", ["<html>Welcome</html>", "[]", {"object": "refund", "id": "re_1"}])
    def test_does_not_believe_what_is_no_refund(self, stripe_server, body):
        stripe_server.body = body

        with pytest.raises(GatewayUnavailable):
            give_back()


class TestListRefunds:
    def test_reads_every_refund_of_the_payment(self, stripe_server):
        rows = [refund_object(), refund_object(id="re_2", metadata={"effect": "refund:o:1"})]
        stripe_server.body = {"object": "list", "data": rows, "has_more": False, "url": "/v1/refunds"}

        found = list_refunds(payment_intent="pi_1")

        assert [(refund.id, refund.effect) for refund in found] == [("re_1", ""), ("re_2", "refund:o:1")]
        assert unquote(stripe_server.asked[0].path) == "/v1/refunds?payment_intent=pi_1&limit=100"

    @pytest.mark.parametrize("body", ["[]", {"object": "list", "data": [{"object": "refund"}], "has_more": False}, {}])
    def test_does_not_believe_what_is_no_list_of_refunds(self, stripe_server, body):
        stripe_server.body = body

        with pytest.raises(GatewayUnavailable):
            list_refunds(payment_intent="pi_1")


class TestRefusals:
    @pytest.mark.parametrize("status", [409, 429, 500, 502, 503])
    def test_that_may_pass_are_worth_another_try(self, stripe_server, status):
        stripe_server.refuses(status, type="api_error", message="later")

        with pytest.raises(GatewayUnavailable, match=f"status {status}, req_fake"):
            create()

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
    def test_that_are_final_are_told_as_such(self, stripe_server, status):
        stripe_server.refuses(status, type="invalid_request_error", code="amount_too_small", message="Too small.")

        with pytest.raises(GatewayRefused) as refusal:
            create()

        assert (refusal.value.code, refusal.value.request_id) == ("amount_too_small", "req_fake")

    @pytest.mark.parametrize(("told", "seconds"), [("7", 7), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
    def test_for_too_many_calls_say_when_to_come_back(self, stripe_server, told, seconds):
        stripe_server.headers["Retry-After"] = told
        stripe_server.refuses(429, type="invalid_request_error", message="Too many requests.")

        with pytest.raises(RateLimited) as limit:
            create()

        assert limit.value.retry_after == seconds

    @pytest.mark.parametrize(("status", "is_about_key"), [(401, True), (403, False), (400, False)])
    def test_of_the_key_itself_are_told_apart(self, stripe_server, status, is_about_key):
        stripe_server.refuses(status, type="invalid_request_error", message="No.")

        with pytest.raises(GatewayRefused) as refusal:
            create()

        assert isinstance(refusal.value, KeyRefused) == is_about_key

    def test_have_their_type_as_code_where_stripe_gives_none(self, stripe_server):
        stripe_server.refuses(400, type="idempotency_error", message="Keys for idempotent requests …")

        with pytest.raises(GatewayRefused) as refusal:
            create()

        assert refusal.value.code == "idempotency_error"

    @pytest.mark.parametrize("status", [401, 403, 400])
    def test_never_show_a_part_of_a_key(self, stripe_server, status):
        stripe_server.refuses(status, type="invalid_request_error", message=f"Invalid API Key: sk_test_****c123, {KEY}")

        with pytest.raises(GatewayRefused) as refusal:
            create()

        told = "".join(traceback.format_exception(refusal.value)) + repr(refusal.value.args)
        assert "c123" not in told
        assert refusal.value.__context__ is None

    @pytest.mark.parametrize("body", ["<html>Welcome to the café</html>", "", "[]", {"object": "checkout.session"}])
    def test_by_something_that_is_not_stripe_are_worth_another_try(self, stripe_server, body):
        stripe_server.body = body

        with pytest.raises(GatewayUnavailable):
            create()

    def test_by_nobody_are_worth_another_try(self, stripe_server, settings):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            settings.STRIPE_API_BASE = f"http://127.0.0.1:{taken.getsockname()[1]}"

            with pytest.raises(GatewayUnavailable, match="no answer"):
                create()

    def test_come_from_ourselves_without_a_key(self, stripe_server, settings):
        settings.STRIPE_SECRET_KEY = ""

        with pytest.raises(GatewayRefused, match="STRIPE_SECRET_KEY is not set"):
            create()

        assert stripe_server.asked == []


class TestClient:
    def test_is_made_once(self, stripe_server):
        assert gateway.stripe_client() is gateway.stripe_client()

    def test_goes_to_stripe_itself_unless_told_otherwise(self, settings):
        settings.STRIPE_API_BASE = ""

        assert gateway.stripe_client()._requestor._options.base_addresses["api"] == "https://api.stripe.com"

    def test_has_patience_with_an_end(self, stripe_server):
        assert gateway.stripe_client()._requestor._client._timeout == (3.05, 20.0)

    def test_asks_once_and_waits_little_where_somebody_waits_for_it(self, stripe_server):
        with gateway.in_a_hurry():
            hurried = gateway.stripe_client()

        assert hurried._requestor._client._timeout == (3.05, 5.0)
        assert hurried._requestor._options.max_network_retries == 0
        assert gateway.stripe_client()._requestor._client._timeout == (3.05, 20.0)
        hurried._requestor._client.close()
        gateway._made_in_a_hurry.cache_clear()

    def test_passes_no_proxy_on_the_way_to_what_stands_in(self, stripe_server, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.delenv("NO_PROXY", raising=False)
        stripe_server.body = session_object()

        assert create().refs.session == "cs_test_1"


def test_every_call_is_here():
    """Whoever adds one adds its test."""
    ours = {name for name, thing in vars(gateway).items() if getattr(thing, "__module__", "") == gateway.__name__}
    calls = {name for name in ours if name.islower() and not name.startswith("_")}

    # Through these the neighbours call.
    calls -= {"ask", "ask_one", "in_a_hurry", "is_in_a_hurry", "plain_json", "read_answer", "stripe_client"}
    # Their tests are in test_gateway_billing_contract.py.
    calls -= {"create_customer", "update_customer", "create_portal_session"}
    calls -= {"update_subscription", "cancel_subscription"}
    assert calls == {
        "create_checkout_session", "retrieve_checkout_session", "expire_checkout_session", "create_refund",
        "list_refunds",
    }  # fmt: skip
