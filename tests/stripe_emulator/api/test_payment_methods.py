"""Payment methods and SetupIntents through the official client."""

import pytest
import stripe

from stripe_emulator.behaviour.setup_intents import authenticate_setup
from stripe_emulator.errors import CardDeclined
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import OWNER, SEPA_SUCCEEDS, event_types, pay
from tests.support.emulator import refusal_of


class TestCreate:
    def test_makes_a_card_of_its_number(self, stripe_api):
        card = {"number": "4000 0000 0000 9995", "exp_month": 5, "exp_year": 2031, "cvc": "123"}

        method = stripe_api.payment_methods.create({"type": "card", "card": card, "billing_details": {"name": "Ada"}})

        assert (method.card.last4, method.card.exp_month, method.card.exp_year) == ("9995", 5, 2031)
        assert (method.billing_details.name, method.billing_details.address.city) == ("Ada", None)
        assert refusal_of(pay, stripe_api, method.id).error.decline_code == "insufficient_funds"

    @pytest.mark.parametrize("token", ["tok_visa", "tok_mastercard", "tok_chargeCustomerFail"])
    def test_makes_a_card_of_a_token(self, stripe_api, token):
        method = stripe_api.payment_methods.create({"type": "card", "card": {"token": token}})

        assert method.type == "card"
        assert method.card.last4 == {"tok_visa": "4242", "tok_mastercard": "4444"}.get(token, "0341")

    def test_makes_a_bank_account_of_its_iban(self, stripe_api):
        params = {"type": "sepa_debit", "sepa_debit": {"iban": SEPA_SUCCEEDS}, "billing_details": OWNER}

        method = stripe_api.payment_methods.create(params)

        assert (method.sepa_debit.last4, method.sepa_debit.country) == ("3201", "AT")

    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"type": "card", "card": {"number": "4242424242424241"}}, "incorrect_number"),
            ({"type": "card", "card": {"number": "4242424242424242", "exp_month": 13}}, "invalid_expiry_month"),
            ({"type": "card", "card": {"token": "tok_nobody"}}, "resource_missing"),
            ({"type": "card"}, "parameter_missing"),
            ({"type": "sepa_debit", "sepa_debit": {"iban": "AT00"}}, "invalid_bank_account_iban"),
            ({"type": "sepa_debit", "sepa_debit": {"iban": SEPA_SUCCEEDS}}, "parameter_missing"),
        ],
    )
    def test_refuses_what_is_no_test_method(self, stripe_api, params, code):
        refusal = refusal_of(stripe_api.payment_methods.create, params)

        assert refusal.code == code
        assert not StoredObject.objects.exists()

    def test_refuses_types_that_the_account_does_not_have(self, stripe_api):
        assert refusal_of(stripe_api.payment_methods.create, {"type": "paypal"}).param == "type"


class TestRetrieve:
    def test_makes_a_method_of_an_alias(self, stripe_api):
        method = stripe_api.payment_methods.retrieve("pm_card_fr")

        assert (method.card.country, method.customer) == ("FR", None)

    def test_refuses_an_unknown_alias(self, stripe_api):
        assert refusal_of(stripe_api.payment_methods.retrieve, "pm_card_nobody").code == "resource_missing"


class TestAttach:
    def test_keeps_the_method_with_the_customer(self, stripe_api):
        customer = stripe_api.customers.create({})

        method = stripe_api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        stripe_api.payment_methods.attach(method.id, {"customer": customer.id})

        assert method.customer == customer.id
        assert [each.id for each in stripe_api.payment_methods.list({"customer": customer.id}).data] == [method.id]
        assert event_types() == ["customer.created", "payment_method.attached"]

    def test_is_what_the_bank_declines(self, stripe_api):
        customer = stripe_api.customers.create({})

        refusal = refusal_of(stripe_api.payment_methods.attach, "pm_card_chargeDeclined", {"customer": customer.id})

        assert isinstance(refusal, stripe.CardError)
        assert stripe_api.payment_methods.list({"customer": customer.id}).data == []

    def test_refuses_another_customer(self, stripe_api):
        owner, other = stripe_api.customers.create({}), stripe_api.customers.create({})
        method = stripe_api.payment_methods.attach("pm_card_visa", {"customer": owner.id})

        refusal = refusal_of(stripe_api.payment_methods.attach, method.id, {"customer": other.id})

        assert refusal.code == "payment_method_unexpected_state"
        assert stripe_api.payment_methods.retrieve(method.id).customer == owner.id

    def test_refuses_a_customer_who_is_gone(self, stripe_api):
        customer = stripe_api.customers.create({})
        stripe_api.customers.delete(customer.id)

        refusal = refusal_of(stripe_api.payment_methods.attach, "pm_card_visa", {"customer": customer.id})

        assert (refusal.code, refusal.param) == ("resource_missing", "customer")


class TestList:
    def test_finds_those_of_a_type(self, stripe_api):
        customer = stripe_api.customers.create({"payment_method": "pm_card_visa"})

        cards = stripe_api.payment_methods.list({"customer": customer.id, "type": "card"})
        debits = stripe_api.payment_methods.list({"customer": customer.id, "type": "sepa_debit"})

        assert (len(cards.data), debits.data) == (1, [])


class TestConfirm:
    def test_keeps_the_method_with_the_customer(self, stripe_api):
        customer = stripe_api.customers.create({})

        done = stripe_api.setup_intents.create(
            {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
        )

        assert done.status == "succeeded"
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
