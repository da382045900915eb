"""Charges, balance transactions and the account through the official client."""

from tests.support.emulated_payments import pay
from tests.support.emulator import refusal_of


class TestCharges:
    def test_are_found_by_customer_and_by_payment(self, stripe_api):
        customer = stripe_api.customers.create({})
        intent = pay(stripe_api, customer=customer.id)
        pay(stripe_api)

        by_customer = stripe_api.charges.list({"customer": customer.id})
        by_intent = stripe_api.charges.list({"payment_intent": intent.id})

        assert [charge.id for charge in by_customer.data] == [intent.latest_charge]
        assert [charge.id for charge in by_intent.data] == [intent.latest_charge]

    def test_copy_what_the_intent_tells_of_the_order(self, stripe_api):
        shipping = {"name": "Ada", "address": {"line1": "1 rue A", "country": "FR"}}

        intent = pay(stripe_api, shipping=shipping, receipt_email="ada@example.com", description="A seat")

        charge = stripe_api.charges.retrieve(intent.latest_charge)
        assert (charge.shipping.name, charge.shipping.address.line1) == ("Ada", "1 rue A")
        assert (charge.receipt_email, charge.description) == ("ada@example.com", "A seat")

    def test_that_nobody_made_are_not_found(self, stripe_api):
        assert refusal_of(stripe_api.charges.retrieve, "ch_nobody").code == "resource_missing"


class TestBalanceTransactions:
    def test_are_found_by_type_and_by_source(self, stripe_api):
        intent = pay(stripe_api)
        refund = stripe_api.refunds.create({"payment_intent": intent.id})

        by_type = stripe_api.balance_transactions.list({"type": "refund"})
        by_source = stripe_api.balance_transactions.list({"source": intent.latest_charge, "expand": ["data.source"]})

        assert [moved.id for moved in by_type.data] == [refund.balance_transaction]
        assert [moved.source.id for moved in by_source.data] == [intent.latest_charge]

    def test_name_the_parts_of_the_fee(self, stripe_api):
        pay(stripe_api, amount=4900)

        (moved,) = stripe_api.balance_transactions.list({}).data

        # 1.5 % of 49 €, halves to the even cent, and 25 cents.
        assert (moved.amount, moved.fee, moved.net) == (4900, 99, 4801)
        assert sum(part.amount for part in moved.fee_details) == moved.fee

    def test_of_the_card_for_it_are_available_at_once(self, stripe_api):
        pay(stripe_api, "pm_card_bypassPending")
        pay(stripe_api)

        found = stripe_api.balance_transactions.list({}).data

        assert [moved.status for moved in found] == ["pending", "available"]


class TestAccount:
    def test_may_charge_in_euros(self, stripe_api):
        account = stripe_api.accounts.retrieve_current()

        assert account.id == stripe_api.accounts.retrieve_current().id
        assert (account.charges_enabled, account.country, account.default_currency) == (True, "FR", "eur")
