"""SetupIntents through the official client."""

import pytest
import stripe

from stripe_emulator.errors import CardDeclined
from stripe_emulator.life.setups import authenticate_setup
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import event_types, pay
from tests.support.emulator import refusal_of


class TestConfirm:
    def test_keeps_the_method_with_the_customer(self, stripe_api):
        customer = stripe_api.customers.create({})
        setup = stripe_api.setup_intents.create({"customer": customer.id})

        done = stripe_api.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})

        assert (setup.status, done.status) == ("requires_payment_method", "succeeded")
        assert stripe_api.payment_methods.retrieve(done.payment_method).customer == customer.id
        assert event_types()[1:] == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]

    def test_keeps_what_a_declined_card_has_left(self, stripe_api):
        refusal = refusal_of(
            stripe_api.setup_intents.create, {"payment_method": "pm_card_chargeDeclined", "confirm": True}
        )

        assert isinstance(refusal, stripe.CardError)
        setup = stripe_api.setup_intents.retrieve(refusal.error.setup_intent.id)
        assert (setup.status, setup.last_setup_error.code) == ("requires_payment_method", "card_declined")
        assert event_types() == ["setup_intent.created", "setup_intent.setup_failed"]

    def test_asks_for_authentication(self, stripe_api):
        setup = stripe_api.setup_intents.create({"payment_method": "pm_card_authenticationRequired", "confirm": True})

        assert (setup.status, setup.next_action.type) == ("requires_action", "use_stripe_sdk")

    def test_refuses_without_a_method(self, stripe_api):
        refusal = refusal_of(stripe_api.setup_intents.create, {"confirm": True})

        assert refusal.code == "setup_intent_unexpected_state"
        assert not StoredObject.objects.exists()

    def test_refuses_what_is_done(self, stripe_api):
        setup = stripe_api.setup_intents.create({"payment_method": "pm_card_visa", "confirm": True})

        refusal = refusal_of(stripe_api.setup_intents.confirm, setup.id, {"payment_method": "pm_card_visa"})

        assert refusal.code == "setup_intent_unexpected_state"


class TestAuthenticate:
    @pytest.fixture
    def asking(self, stripe_api):
        """A setup whose card wants 3-D Secure once, for a customer."""
        customer = stripe_api.customers.create({})
        params = {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
        }
        return StoredObject.objects.get(stripe_id=stripe_api.setup_intents.create(params).id)

    def test_lets_the_card_pay_off_session_from_then_on(self, stripe_api, asking):
        authenticate_setup(asking, at=asking.created, succeeded=True)

        method, customer = asking.data["payment_method"], asking.data["customer"]
        assert pay(stripe_api, method, customer=customer, off_session=True).status == "succeeded"

    def test_that_fails_leaves_the_setup_open(self, stripe_api, asking):
        with pytest.raises(CardDeclined, match="authentication failed"):
            authenticate_setup(asking, at=asking.created, succeeded=False)

        setup = stripe_api.setup_intents.retrieve(asking.stripe_id)
        assert (setup.status, setup.last_setup_error.code) == (
            "requires_payment_method",
            "setup_intent_authentication_failure",
        )
        assert event_types()[-1] == "setup_intent.setup_failed"


class TestCancel:
    def test_ends_the_intent_once(self, stripe_api):
        setup = stripe_api.setup_intents.create({})

        canceled = stripe_api.setup_intents.cancel(setup.id, {"cancellation_reason": "abandoned"})
        refusal = refusal_of(stripe_api.setup_intents.cancel, setup.id)

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        assert refusal.code == "setup_intent_unexpected_state"
        assert event_types() == ["setup_intent.created", "setup_intent.canceled"]


class TestList:
    def test_finds_those_of_a_customer(self, stripe_api):
        customer = stripe_api.customers.create({})
        theirs = stripe_api.setup_intents.create({"customer": customer.id})
        stripe_api.setup_intents.create({})

        assert [each.id for each in stripe_api.setup_intents.list({"customer": customer.id}).data] == [theirs.id]


class TestUpdate:
    def test_merges_metadata(self, stripe_api):
        setup = stripe_api.setup_intents.create({"metadata": {"a": "1"}})

        updated = stripe_api.setup_intents.update(setup.id, {"metadata": {"b": "2"}, "description": "later"})

        assert updated.metadata.to_dict() == {"a": "1", "b": "2"}
        assert updated.description == "later"
