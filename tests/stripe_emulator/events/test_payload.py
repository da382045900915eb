"""Events in the pinned shapes and in those of 2023-10-16."""

import pytest

from stripe_emulator import store
from stripe_emulator.events.emit import Origin, caused_by, emit
from stripe_emulator.events.payload import render
from stripe_emulator.models import Event
from tests.support.emulator import send_due

OLD = "2023-10-16"
INVOICE = {"id": "in_1", "object": "invoice", "parent": None, "status": "paid"}


def shown(data, version=OLD, *, previous=None):
    """The event of an object, rendered in this version."""
    stored = store.keep({"created": 1, **data})
    return render(emit(f"{data['object']}.updated", stored, at=1, previous=previous), version)


class TestRender:
    def test_has_the_fields_of_an_event(self, db):
        stored = store.keep({"id": "cus_1", "object": "customer", "created": 5})
        with caused_by(Origin("req_1", "key-1")):
            event = emit("customer.created", stored, at=5)

        assert render(event, "2026-10-28.endive") == {
            "id": event.stripe_id,
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": 5,
            "data": {"object": {"id": "cus_1", "object": "customer", "created": 5}},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": "req_1", "idempotency_key": "key-1"},
            "type": "customer.created",
        }

    def test_says_when_stripe_itself_did_it(self, happen):
        assert render(happen(), OLD)["request"] == {"id": None, "idempotency_key": None}

    def test_tells_what_was_different_for_updates(self, db):
        event = shown({"id": "cus_1", "object": "customer", "email": "b"}, previous={"email": "a"})

        assert event["data"]["previous_attributes"] == {"email": "a"}

    def test_counts_the_endpoints_that_still_wait(self, make_endpoint, receiver, happen):
        make_endpoint()
        make_endpoint()
        event = happen()
        before = render(event, OLD)["pending_webhooks"]

        send_due(1)

        assert (before, render(event, OLD)["pending_webhooks"]) == (2, 1)

    @pytest.mark.parametrize("version", ["2026-10-28.endive", "2099-01-01"])
    def test_shows_any_other_version_in_the_pinned_shape(self, db, version):
        assert shown(INVOICE, version)["data"]["object"] == {"created": 1, **INVOICE}

    def test_leaves_the_kept_event_as_it_is(self, db):
        shown(INVOICE)

        assert Event.objects.get().object == {"created": 1, **INVOICE}


def shown_in_2023(data, version=OLD, *, previous=None, **hidden):
    """The event of an object, rendered in this version."""
    stored = store.keep({"created": 1, **data}, **hidden)
    return render(emit(f"{data['object']}.updated", stored, at=1, previous=previous), version)


def old(data, **hidden):
    """The object in the older shape."""
    return shown_in_2023(data, **hidden)["data"]["object"]


class TestTheOlderShape:
    def test_of_a_session_has_the_address_at_the_top(self, db):
        session = {
            "id": "cs_test_1",
            "object": "checkout.session",
            "adaptive_pricing": {"enabled": False},
            "collected_information": {"shipping_details": {"name": "Ada"}},
            "ui_mode": "hosted_page",
            "wallet_options": None,
        }

        assert old(session) == {
            "id": "cs_test_1",
            "object": "checkout.session",
            "created": 1,
            "shipping_details": {"name": "Ada"},
            "ui_mode": "hosted",
        }

    def test_of_a_session_without_address_has_none(self, db):
        session = {"id": "cs_test_1", "object": "checkout.session", "collected_information": None, "ui_mode": None}

        assert (old(session)["shipping_details"], old({**session, "id": "cs_test_2"})["ui_mode"]) == (None, None)

    def test_of_a_payment_names_its_invoice(self, db):
        intent = {"id": "pi_1", "object": "payment_intent", "capture_method": "automatic_async", "payment_record": None}

        told = old(intent, invoice="in_1")

        assert (told["invoice"], told["capture_method"]) == ("in_1", "automatic")
        assert "payment_record" not in told

    def test_of_a_payment_without_invoice_has_none(self, db):
        assert old({"id": "pi_1", "object": "payment_intent", "capture_method": "manual"}) == {
            "id": "pi_1",
            "object": "payment_intent",
            "created": 1,
            "amount_details": {"tip": {}},
            "capture_method": "manual",
            "invoice": None,
        }

    def test_of_a_charge_names_its_invoice(self, db):
        charge = {"id": "ch_1", "object": "charge", "presentment_details": None}

        assert old(charge, invoice="in_1") == {"id": "ch_1", "object": "charge", "created": 1, "invoice": "in_1"}

    @pytest.mark.parametrize(
        ("kind", "later"),
        [
            ("refund", ("customer_account", "payment_method", "presentment_details")),
            ("dispute", ("enhanced_eligibility_types",)),
            ("setup_intent", ("excluded_payment_method_types", "managed_payments")),
            ("customer", ("customer_account", "business_name")),
        ],
    )
    def test_has_no_fields_of_later_versions(self, db, kind, later):
        told = old({"id": "x_1", "object": kind, **dict.fromkeys(later)})

        assert not set(later) & set(told)

    def test_of_a_product_has_features(self, db):
        assert old({"id": "prod_1", "object": "product", "marketing_features": [{"name": "a"}]})["features"]


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
RENEWAL_INVOICE = {
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
    "total_taxes": [],
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


class TestTheOlderShapeOfBilling:
    def test_of_a_subscription_has_one_period(self, db):
        told = old(SUBSCRIPTION)

        assert (told["current_period_start"], told["current_period_end"]) == (100, 200)
        assert told["items"]["data"] == [{"id": "si_1", "price": PRICE}]
        assert "billing_mode" not in told

    def test_of_a_renewal_tells_the_period_before_at_the_top(self, db):
        before = {"object": "list", "data": [{**SUBSCRIPTION["items"]["data"][0], "current_period_end": 150}]}

        event = shown_in_2023(SUBSCRIPTION, previous={"items": before})

        assert event["data"]["previous_attributes"] == {"current_period_end": 150}

    def test_of_an_invoice_names_subscription_payment_and_charge(self, db):
        told = old(RENEWAL_INVOICE, payment_intent="pi_1", charge="ch_1")

        assert (told["subscription"], told["payment_intent"], told["charge"]) == ("sub_1", "pi_1", "ch_1")
        assert (told["paid"], told["paid_out_of_band"]) == (True, False)
        assert told["subscription_details"] == {"metadata": {"orderId": "7"}}
        assert not {"parent", "payments", "total_taxes", "amount_paid_off_stripe", "customer_account"} & set(told)

    def test_of_an_invoice_that_is_open_is_not_paid(self, db):
        told = old({"id": "in_1", "object": "invoice", "status": "open", "parent": None})

        assert (told["paid"], told["subscription"], told["payment_intent"], told["tax"]) == (False, None, None, None)

    def test_of_a_line_carries_its_price(self, db):
        store.keep({"created": 1, **PRICE})

        (line,) = old(RENEWAL_INVOICE)["lines"]["data"]

        assert (line["price"]["id"], line["plan"]["id"], line["plan"]["amount"]) == ("price_1", "price_1", 4900)
        assert (line["type"], line["subscription"], line["subscription_item"]) == ("subscription", "sub_1", "si_1")
        assert not {"parent", "pricing", "taxes"} & set(line)

    def test_of_a_line_without_subscription_is_an_item(self, db):
        item = {**LINE, "parent": {"invoice_item_details": {"invoice_item": "ii_1"}, "type": "invoice_item_details"}}

        told = old({**RENEWAL_INVOICE, "lines": {"data": [item]}})["lines"]["data"][0]

        assert (told["type"], told["invoice_item"], told["price"], told["plan"]) == ("invoiceitem", "ii_1", None, None)

    def test_of_an_invoice_item_names_its_subscription(self, db):
        parent = {"subscription_details": {"subscription": "sub_1"}, "type": "subscription_details"}

        told = old({"id": "ii_1", "object": "invoiceitem", "parent": parent, "pricing": LINE["pricing"]})

        assert (told["subscription"], told["unit_amount_decimal"]) == ("sub_1", "4900")
