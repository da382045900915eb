"""Invoice items through the official client."""

import pytest

from tests.support.billing import types_since
from tests.support.emulator import official_client, refusal_of


@pytest.fixture
def item(stripe_api, customer):
    return stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})


@pytest.fixture
def draft(stripe_api, customer, item):
    return stripe_api.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})


class TestCreate:
    def test_waits_for_the_next_invoice(self, stripe_api, customer, item):
        assert (item.amount, item.currency, item.invoice, item.customer) == (2000, "eur", None, customer.id)
        assert types_since()[-1] == "invoiceitem.created"

    def test_goes_to_a_draft(self, stripe_api, customer, draft):
        made = stripe_api.invoice_items.create({"customer": customer.id, "invoice": draft.id, "amount": 500})

        assert (made.invoice, made.currency) == (draft.id, "eur")
        assert stripe_api.invoices.retrieve(draft.id).total == 2500

    def test_takes_a_price(self, stripe_api, customer):
        product = stripe_api.products.create({"name": "Badge"})
        price = stripe_api.prices.create({"product": product.id, "unit_amount": 250, "currency": "usd"})

        made = stripe_api.invoice_items.create({"customer": customer.id, "pricing": {"price": price.id}, "quantity": 3})

        assert (made.amount, made.currency, made.pricing.price_details.price) == (750, "usd", price.id)

    def test_takes_the_older_parameter_of_older_versions(self, stripe_api, customer):
        product = stripe_api.products.create({"name": "Badge"})
        price = stripe_api.prices.create({"product": product.id, "unit_amount": 250, "currency": "usd"})

        made = official_client(version="2023-10-16").v1.invoice_items.create(
            {"customer": customer.id, "price": price.id}
        )

        assert made.amount == 250

    def test_may_give_something_back(self, stripe_api, customer, item):
        stripe_api.invoice_items.create({"customer": customer.id, "amount": -500, "currency": "eur"})

        made = stripe_api.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})

        assert made.amount_due == 1500

    @pytest.mark.parametrize(
        ("params", "code", "param"),
        [
            ({"customer": "cus_unknown", "amount": 1}, "resource_missing", "customer"),
            ({}, "parameter_missing", "amount"),
            ({"amount": 100_000_000}, "amount_too_large", "amount"),
            ({"amount": "many"}, "parameter_invalid_integer", "amount"),
            ({"amount": 1, "currency": "zzz"}, None, "currency"),
            ({"amount": 1, "invoice": "in_unknown"}, "resource_missing", "invoice"),
            ({"unit_amount_decimal": "0.5"}, "parameter_invalid_integer", "unit_amount_decimal"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, customer, params, code, param):
        refusal = refusal_of(stripe_api.invoice_items.create, {"customer": customer.id, **params})

        assert (refusal.code, refusal.param) == (code, param)
        assert stripe_api.invoice_items.list({}).data == []

    def test_refuses_another_currency_than_the_draft_s(self, stripe_api, customer, draft):
        params = {"customer": customer.id, "invoice": draft.id, "amount": 1, "currency": "usd"}

        assert refusal_of(stripe_api.invoice_items.create, params).param == "invoice"


class TestUpdate:
    def test_changes_the_line_of_a_draft(self, stripe_api, item, draft):
        stripe_api.invoice_items.update(item.id, {"amount": 700, "description": "Less", "metadata": {"a": "b"}})

        invoice = stripe_api.invoices.retrieve(draft.id)
        assert (invoice.total, invoice.lines.data[0].description) == (700, "Less")
        assert invoice.lines.data[0].id == draft.lines.data[0].id

    def test_multiplies_by_another_quantity(self, stripe_api, customer):
        made = stripe_api.invoice_items.create(
            {"customer": customer.id, "unit_amount_decimal": "50", "quantity": 2, "currency": "eur"}
        )

        assert stripe_api.invoice_items.update(made.id, {"quantity": 5}).amount == 250

    def test_is_refused_once_the_invoice_is_finalized(self, stripe_api, item, draft):
        stripe_api.invoices.finalize_invoice(draft.id)

        refusal = refusal_of(stripe_api.invoice_items.update, item.id, {"amount": 1})

        assert refusal.code == "invoice_not_editable"
        assert stripe_api.invoice_items.retrieve(item.id).amount == 2000


class TestDelete:
    def test_takes_it_off_the_draft(self, stripe_api, item, draft):
        gone = stripe_api.invoice_items.delete(item.id)

        assert gone.deleted is True
        assert stripe_api.invoices.retrieve(draft.id).lines.data == []
        assert types_since()[-1] == "invoiceitem.deleted"
        assert stripe_api.invoice_items.retrieve(item.id).deleted is True

    def test_is_refused_twice(self, stripe_api, item):
        stripe_api.invoice_items.delete(item.id)

        assert refusal_of(stripe_api.invoice_items.delete, item.id).code == "resource_missing"


class TestList:
    def test_filters(self, stripe_api, customer, item, draft):
        waiting = stripe_api.invoice_items.create({"customer": customer.id, "amount": 1, "currency": "eur"})

        def ids(**params):
            return [each.id for each in stripe_api.invoice_items.list(params).data]

        assert ids(pending=True) == [waiting.id]
        assert ids(pending=False) == ids(invoice=draft.id) == [item.id]
        assert ids(customer=customer.id) == [waiting.id, item.id]
        assert ids(customer="cus_other") == []
