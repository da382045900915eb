"""Each call about people and subscriptions against the emulator, which takes nothing but what the SDK's types allow."""

from datetime import UTC, datetime

import pytest

from payments.stripe_api import gateway as billing
from payments.stripe_api.gateway import (
    GatewayRefused,
    GatewayUnavailable,
    cancel_subscription,
    create_customer,
    create_portal_session,
    update_customer,
    update_subscription,
)
from payments.stripe_api.snapshots import StripeSubscription
from stripe_emulator.models import StoredObject
from tests.support.billing import customer_with, price_of, subscribe
from tests.support.subscriber import emulate


@pytest.fixture(autouse=True)
def stripe_api(db, monkeypatch):
    return emulate(monkeypatch)


class TestCreateCustomer:
    def make(self, **different):
        usual = {"email": "ada@example.com", "metadata": {"site": "payments"}, "idempotency_key": "key"}
        return create_customer(**{**usual, **different})

    def test_tells_stripe_who_it_is(self):
        made = StoredObject.objects.get(stripe_id=self.make()).data

        assert (made["email"], made["metadata"]) == ("ada@example.com", {"site": "payments"})

    def test_makes_one_for_one_key(self):
        assert self.make() == self.make()


class TestUpdateCustomer:
    def update(self, stripe_api, **different):
        customer = customer_with(stripe_api).id
        usual = {"customer": customer, "email": "new@example.com", "name": "Ada L.", "idempotency_key": "key"}
        update_customer(**{**usual, **different})
        return StoredObject.objects.get(stripe_id=customer).data

    def test_tells_stripe_the_other_address_and_name(self, stripe_api):
        told = self.update(stripe_api)

        assert (told["email"], told["name"]) == ("new@example.com", "Ada L.")

    def test_leaves_the_name_where_none_is_known(self, stripe_api):
        before = StoredObject.objects.get(stripe_id=customer_with(stripe_api).id).data["name"]

        assert self.update(stripe_api, name="")["name"] == before

    def test_is_refused_for_a_customer_that_stripe_does_not_know(self, stripe_api):
        with pytest.raises(GatewayRefused) as refusal:
            self.update(stripe_api, customer="cus_unknown")

        assert refusal.value.code == "resource_missing"


class TestCancelSubscription:
    def test_answers_with_what_has_ended(self, stripe_api):
        subscription = subscribe(stripe_api, customer_with(stripe_api), price_of(stripe_api))

        answer = cancel_subscription(subscription=subscription.id, idempotency_key="key")

        assert StripeSubscription.read(answer.raw).status == "canceled"


class TestUpdateSubscription:
    @pytest.fixture
    def subscription(self, stripe_api):
        return subscribe(stripe_api, customer_with(stripe_api), price_of(stripe_api))

    def test_answers_with_the_whole_as_it_is_then(self, subscription):
        answer = update_subscription(
            subscription=subscription.id, params={"cancel_at_period_end": True}, idempotency_key="key"
        )

        assert StripeSubscription.read(answer.raw).cancel_at is not None
        assert abs(datetime.now(UTC) - answer.said_at).total_seconds() < 60

    def test_says_that_the_bank_has_declined(self, stripe_api, subscription):
        card = stripe_api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": subscription.customer})
        stripe_api.subscriptions.update(subscription.id, {"default_payment_method": card.id})
        items = [
            {
                "id": subscription["items"].data[0].id,
                "price": price_of(stripe_api, 90_000, interval="year").id,
            }
        ]

        with pytest.raises(GatewayRefused) as refusal:
            update_subscription(
                subscription=subscription.id,
                params={"items": items, "payment_behavior": "error_if_incomplete"},
                idempotency_key="key",
            )

        assert (refusal.value.is_declined, refusal.value.code) == (True, "card_declined")

    def test_tells_a_refusal_of_stripes_own_apart(self):
        with pytest.raises(GatewayRefused) as refusal:
            update_subscription(subscription="sub_unknown", params={}, idempotency_key="key")

        assert (refusal.value.is_declined, refusal.value.code) == (False, "resource_missing")


class TestCreatePortalSession:
    def test_leads_in_and_back(self, stripe_api):
        customer = customer_with(stripe_api).id

        url = create_portal_session(customer=customer, return_url="https://shop.example/", language="fr")

        session = StoredObject.objects.get(kind="billing_portal.session").data
        assert (session["url"], session["customer"], session["return_url"]) == (url, customer, "https://shop.example/")

    def test_is_no_answer_without_an_address(self, monkeypatch, stripe_api):
        nobody = customer_with(stripe_api)
        monkeypatch.setattr(billing, "ask", lambda call: nobody)

        with pytest.raises(GatewayUnavailable):
            create_portal_session(customer="cus_1", return_url="https://shop.example/", language="fr")
