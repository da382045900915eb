"""Subscriptions and invoices in the shapes of 2023-10-16, written out as Stripe documents them."""

from stripe_emulator import store
from tests.stripe_emulator.events.test_shapes_2023 import old, shown

PRICE = {
    "id": "price_1",
    "object": "price",
    "active": True,
    "currency": "eur",
    "product": "prod_1",
    "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    "unit_amount": 4900,
    "unit_amount_decimal": "4900",
}
LINE = {
    "id": "il_1",
    "object": "line_item",
    "amount": 4900,
    "currency": "eur",
    "parent": {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": "sub_1",
            "subscription_item": "si_1",
        },
        "type": "subscription_item_details",
    },
    "pricing": {
        "price_details": {"price": "price_1", "product": "prod_1"},
        "type": "price_details",
        "unit_amount_decimal": "4900",
    },
    "subtotal": 4900,
    "taxes": [],
}
INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "amount_paid": 4900,
    "amount_paid_off_stripe": 0,
    "customer_account": None,
    "lines": {"object": "list", "data": [LINE], "has_more": False, "url": "/v1/invoices/in_1/lines"},
    "parent": {
        "quote_details": None,
        "subscription_details": {"metadata": {"orderId": "7"}, "subscription": "sub_1"},
        "type": "subscription_details",
    },
    "status": "paid",
    "total_taxes": [
        {
            "amount": 817,
            "tax_behavior": "inclusive",
            "tax_rate_details": {"tax_rate": "txr_1"},
            "taxability_reason": "standard_rated",
            "taxable_amount": 4083,
        }
    ],
}
SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "billing_mode": {"type": "flexible"},
    "items": {
        "object": "list",
        "data": [{"id": "si_1", "current_period_start": 100, "current_period_end": 200, "price": PRICE}],
    },
    "status": "active",
}


class TestTheOlderShape:
    def test_of_a_subscription_has_one_period(self, db):
        told = old(SUBSCRIPTION)

        assert (told["current_period_start"], told["current_period_end"]) == (100, 200)
        assert told["items"]["data"] == [{"id": "si_1", "price": PRICE}]
        assert "billing_mode" not in told

    def test_of_a_renewal_tells_the_period_before_at_the_top(self, db):
        before = {"object": "list", "data": [{**SUBSCRIPTION["items"]["data"][0], "current_period_end": 150}]}

        event = shown(SUBSCRIPTION, previous={"items": before})

        assert event["data"]["previous_attributes"] == {"current_period_end": 150}

    def test_of_an_invoice_names_subscription_payment_and_charge(self, db):
        told = old(INVOICE, payment_intent="pi_1", charge="ch_1")

        assert (told["subscription"], told["payment_intent"], told["charge"]) == ("sub_1", "pi_1", "ch_1")
        assert (told["paid"], told["paid_out_of_band"]) == (True, False)
        assert told["subscription_details"] == {"metadata": {"orderId": "7"}}
        assert not {"parent", "payments", "total_taxes", "amount_paid_off_stripe", "customer_account"} & set(told)

    def test_of_an_invoice_that_is_open_is_not_paid(self, db):
        told = old({"id": "in_1", "object": "invoice", "status": "open", "parent": None})

        assert (told["paid"], told["subscription"], told["payment_intent"], told["tax"]) == (False, None, None, None)

    def test_of_an_invoice_writes_taxes_as_before(self, db):
        told = old(INVOICE)

        assert told["tax"] == 817
        assert told["total_tax_amounts"] == [
            {
                "amount": 817,
                "inclusive": True,
                "tax_rate": "txr_1",
                "taxability_reason": "standard_rated",
                "taxable_amount": 4083,
            }
        ]

    def test_of_a_line_carries_its_price(self, db):
        store.keep({"created": 1, **PRICE})

        (line,) = old(INVOICE)["lines"]["data"]

        assert (line["price"]["id"], line["plan"]["id"], line["plan"]["amount"]) == ("price_1", "price_1", 4900)
        assert (line["type"], line["subscription"], line["subscription_item"]) == ("subscription", "sub_1", "si_1")
        assert not {"parent", "pricing", "taxes"} & set(line)

    def test_of_a_line_without_subscription_is_an_item(self, db):
        item = {**LINE, "parent": {"invoice_item_details": {"invoice_item": "ii_1"}, "type": "invoice_item_details"}}

        told = old({**INVOICE, "lines": {"data": [item]}})["lines"]["data"][0]

        assert (told["type"], told["invoice_item"], told["price"], told["plan"]) == ("invoiceitem", "ii_1", None, None)

    def test_of_an_invoice_item_names_its_subscription(self, db):
        parent = {"subscription_details": {"subscription": "sub_1"}, "type": "subscription_details"}

        told = old({"id": "ii_1", "object": "invoiceitem", "parent": parent, "pricing": LINE["pricing"]})

        assert (told["subscription"], told["unit_amount_decimal"]) == ("sub_1", "4900")
