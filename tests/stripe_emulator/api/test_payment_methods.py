"""Ways to pay through the official client."""

import pytest
import stripe

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


class TestTokens:
    def test_serve_once(self, stripe_api):
        card = {"number": "5555555555554444", "exp_month": "8", "exp_year": "2032", "cvc": "123"}
        token = stripe_api.tokens.create({"card": card})

        method = stripe_api.payment_methods.create({"type": "card", "card": {"token": token.id}})
        again = refusal_of(stripe_api.payment_methods.create, {"type": "card", "card": {"token": token.id}})

        assert (method.card.brand, method.card.exp_month) == ("mastercard", 8)
        assert again.code == "token_already_used"
        assert stripe_api.tokens.retrieve(token.id).used is True

    def test_need_a_card(self, stripe_api):
        assert refusal_of(stripe_api.tokens.create, {}).code == "parameter_missing"


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
        assert [each.id for each in stripe_api.customers.payment_methods.list(customer.id).data] == [method.id]
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


class TestDetach:
    def test_is_for_ever(self, stripe_api):
        customer = stripe_api.customers.create({})
        method = stripe_api.payment_methods.attach("pm_card_visa", {"customer": customer.id})

        stripe_api.payment_methods.detach(method.id)

        again = refusal_of(stripe_api.payment_methods.attach, method.id, {"customer": customer.id})
        twice = refusal_of(stripe_api.payment_methods.detach, method.id)
        assert (again.code, twice.code) == ("payment_method_unexpected_state",) * 2
        assert event_types(method.id) == ["payment_method.attached", "payment_method.detached"]


class TestUpdate:
    def test_changes_what_is_known_of_it(self, stripe_api):
        id = stripe_api.payment_methods.retrieve("pm_card_visa").id

        stripe_api.payment_methods.update(id, {"card": {"exp_month": 7}, "billing_details": {"name": "Ada"}})

        method = stripe_api.payment_methods.retrieve(id)
        assert (method.card.exp_month, method.card.last4, method.billing_details.name) == (7, "4242", "Ada")


class TestList:
    def test_finds_those_of_a_type(self, stripe_api):
        customer = stripe_api.customers.create({"payment_method": "pm_card_visa"})

        cards = stripe_api.payment_methods.list({"customer": customer.id, "type": "card"})
        debits = stripe_api.payment_methods.list({"customer": customer.id, "type": "sepa_debit"})

        assert (len(cards.data), debits.data) == (1, [])
