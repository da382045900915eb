"""Objects in the shapes of 2023-10-16, written out as Stripe documents them."""

import pytest

from stripe_emulator import store
from stripe_emulator.events.emit import emit
from stripe_emulator.events.shape import render

OLD = "2023-10-16"


def shown(data, version=OLD, *, previous=None, **hidden):
    """The event of an object, rendered in this version."""
    stored = store.keep({"created": 1, **data}, **hidden)
    return render(emit(f"{data['object']}.updated", stored, at=1, previous=previous), version)


def old(data, **hidden):
    """The object in the older shape."""
    return shown(data, **hidden)["data"]["object"]


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
