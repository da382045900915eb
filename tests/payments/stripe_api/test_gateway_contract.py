"""Each call of the gateway against the emulator, which takes nothing but what the SDK's own types allow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.checkout.open_checkout import open_checkout
from payments.stripe_api import gateway
from payments.stripe_api.checkout_params import CheckoutRequest, checkout_params
from payments.stripe_api.gateway import (
    GatewayRefused,
    create_checkout_session,
    create_refund,
    expire_checkout_session,
    list_refunds,
    retrieve_checkout_session,
)
from payments.stripe_api.snapshots import StripeCheckoutSession, StripeRefund
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import pay
from tests.support.emulator import official_client
from tests.support.stripe_objects import ORDER, REGISTRATION


def soon() -> datetime:
    """When a session that is made now may end at the earliest, and a little later."""
    return timezone.now().replace(microsecond=0) + timedelta(minutes=31)


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch):
    """The gateway's client speaks to the emulator."""
    emulator = official_client()
    monkeypatch.setattr(gateway, "_made", lambda key, base: emulator)


def make(*, key: str = "key", **different: Any) -> StripeCheckoutSession:
    usual: dict[str, Any] = {
        "order": ORDER, "registration": REGISTRATION, "attempt": 2, "site": "payments", "name": "Atelier",
        "amount": 4900, "currency": "eur", "email": "camille@example.com", "language": "fr",
        "expires_at": soon(), "return_to": "https://shop.example/",
    }  # fmt: skip
    return create_checkout_session(
        params=checkout_params(CheckoutRequest(**{**usual, **different})), idempotency_key=key
    )


class TestCreateCheckoutSession:
    def test_is_understood_in_every_part(self):
        ends = soon()

        session = make(expires_at=ends)

        assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
        assert (session.total.amount, session.total.currency, session.expires_at) == (4900, "eur", ends)
        assert (session.refs.order, session.refs.registration, session.refs.attempt) == (ORDER, REGISTRATION, 2)
        assert session.refs.site == "payments"
        assert session.url

    def test_gives_the_payment_our_names_too(self):
        made = make()

        [session] = StoredObject.objects.filter(stripe_id=made.refs.session)
        assert session.hidden["intent_data"]["metadata"] == made.raw["metadata"]

    def test_makes_one_session_for_one_key(self):
        ends = soon()

        assert make(expires_at=ends).refs.session == make(expires_at=ends).refs.session

    def test_tells_when_a_key_was_used_for_something_else(self):
        make()

        with pytest.raises(GatewayRefused) as refusal:
            make(amount=5000)

        assert refusal.value.code == "idempotency_error"

    @pytest.mark.parametrize(
        ("different", "words"),
        [({"amount": 1}, "total amount"), ({"expires_at": datetime.now(UTC)}, "at least 30 minutes")],
    )
    def test_tells_what_stripe_refuses(self, different, words):
        with pytest.raises(GatewayRefused, match=words):
            make(**different)

        assert not StoredObject.objects.filter(kind="checkout.session").exists()


class TestRetrieveCheckoutSession:
    def test_finds_what_was_made(self):
        session = make()

        found = retrieve_checkout_session(session=session.refs.session)

        assert (found.refs, found.url, found.intent_status) == (session.refs, session.url, "")

    def test_tells_when_there_is_none(self):
        with pytest.raises(GatewayRefused) as refusal:
            retrieve_checkout_session(session="cs_test_unknown")

        assert refusal.value.code == "resource_missing"


class TestExpireCheckoutSession:
    def test_ends_the_session_once(self):
        session = make().refs.session

        ended = expire_checkout_session(session=session)

        assert ended.status == "expired"
        with pytest.raises(GatewayRefused):
            expire_checkout_session(session=session)


class TestCreateRefund:
    def test_gives_back_a_part_then_the_rest_and_then_nothing(self):
        intent = pay(official_client().v1).id

        part = give_back(intent, amount=900, key="1")
        rest = give_back(intent, amount=None, key="2")

        assert (part.amount, rest.amount, part.refs.payment_intent) == (900, 4000, intent)
        with pytest.raises(GatewayRefused) as refusal:
            give_back(intent, amount=None, key="3")
        assert refusal.value.code == "charge_already_refunded"

    def test_gives_back_once_under_one_key(self):
        intent = pay(official_client().v1).id

        assert give_back(intent, amount=900) == give_back(intent, amount=900)

    def test_tells_when_the_bank_has_the_money(self):
        intent = pay(official_client().v1, "pm_card_createDispute").id

        with pytest.raises(GatewayRefused) as refusal:
            give_back(intent, amount=None)

        assert refusal.value.code == "charge_disputed"


class TestListRefunds:
    def test_finds_every_refund_by_the_effect_that_asked_for_it(self):
        stripe = official_client().v1
        intent, other = pay(stripe).id, pay(stripe).id
        made = [give_back(intent, amount=1, key=f"key {number}") for number in range(101)]
        give_back(other, amount=1)

        found = list_refunds(payment_intent=intent)

        assert {refund.id for refund in found} == {refund.id for refund in made}
        assert {refund.effect for refund in found} == {f"key {number}" for number in range(101)}


def give_back(intent: str, *, amount: int | None, key: str = "key") -> StripeRefund:
    return create_refund(
        payment_intent=intent, amount=amount, reason="requested_by_customer", metadata={"effect": key},
        idempotency_key=key,
    )  # fmt: skip


class TestOpenCheckout:
    def test_opens_resumes_and_opens_anew(self, registration):
        order = registration.order.pk

        first = open_checkout(order_id=order, at=timezone.now())
        again = open_checkout(order_id=order, at=timezone.now())
        expire_checkout_session(session=first.session)
        second = open_checkout(order_id=order, at=timezone.now())

        assert again == first
        assert (first.number, second.number) == (1, 2)
        assert second.session != first.session
