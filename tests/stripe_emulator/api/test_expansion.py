"""Ids replaced by their objects on demand."""

import pytest

from tests.support.emulated_payments import pay
from tests.support.emulator import refusal_of


class TestExpand:
    def test_replaces_an_id_by_its_object(self, stripe_api):
        intent = pay(stripe_api, expand=["latest_charge"])

        assert intent.latest_charge.object == "charge"
        assert stripe_api.payment_intents.retrieve(intent.id).latest_charge == intent.latest_charge.id

    def test_goes_as_deep_as_asked(self, stripe_api):
        id = pay(stripe_api).id

        intent = stripe_api.payment_intents.retrieve(
            id, {"expand": ["latest_charge.balance_transaction", "latest_charge.payment_intent.latest_charge"]}
        )

        assert intent.latest_charge.balance_transaction.type == "charge"
        assert intent.latest_charge.payment_intent.latest_charge.id == intent.latest_charge.id

    def test_reaches_the_rows_of_a_list(self, stripe_api):
        pay(stripe_api)
        stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})

        unpaid, paid = stripe_api.payment_intents.list({"expand": ["data.latest_charge"]}).data

        assert (unpaid.latest_charge, paid.latest_charge.object) == (None, "charge")

    def test_shows_a_stub_of_what_was_deleted(self, stripe_api):
        customer = stripe_api.customers.create({})
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur", "customer": customer.id})
        stripe_api.customers.delete(customer.id)

        found = stripe_api.payment_intents.retrieve(intent.id, {"expand": ["customer"]})

        assert found.customer.deleted is True

    @pytest.mark.parametrize(
        "paths",
        [
            ["shoe_size"],
            ["latest_charge.shoe_size"],
            ["latest_charge.payment_intent.latest_charge.payment_intent.latest_charge"],
            ["latest_charge"] * 21,
        ],
    )
    def test_refuses_what_cannot_be_expanded(self, stripe_api, paths):
        id = pay(stripe_api).id

        refusal = refusal_of(stripe_api.payment_intents.retrieve, id, {"expand": paths})

        assert refusal.param.startswith("expand")
