"""How a charge is read, in any shape."""

import pytest

from payments.stripe_api.snapshots import MalformedObject, StripeCharge
from tests.support.stripe_objects import MORNING, charge_object, refund_object


class TestCharge:
    def test_tells_what_was_captured_and_refunded(self):
        charge = StripeCharge.read(charge_object())

        assert (charge.captured, charge.refunded, charge.currency, charge.created) == (
            4900,
            1000,
            "eur",
            MORNING,
        )

    @pytest.mark.parametrize(("is_captured", "captured"), [(True, 4900), (False, 0)])
    def test_understands_captured_without_an_amount(self, is_captured, captured):
        old = charge_object(amount_captured=None, captured=is_captured)

        assert StripeCharge.read(old).captured == captured

    def test_reads_the_refunds_that_old_versions_include(self):
        charge = StripeCharge.read(charge_object(refunds={"object": "list", "data": [refund_object()]}))

        assert [refund.id for refund in charge.refunds] == ["re_1"]

    @pytest.mark.parametrize("refunds", [None, [], {}, {"data": None}, {"data": ["re_1", None]}])
    def test_does_without_included_refunds(self, refunds):
        assert StripeCharge.read(charge_object(refunds=refunds)).refunds == ()

    @pytest.mark.parametrize("created", [None, 0, -5, True, "morning", 10**12, 10**18, 10**30])
    def test_may_not_know_when_it_was_made(self, created):
        assert StripeCharge.read(charge_object(created=created)).created is None

    @pytest.mark.parametrize("name", ["amount_captured", "amount_refunded"])
    def test_refuses_an_odd_amount(self, name):
        with pytest.raises(MalformedObject, match=name):
            StripeCharge.read(charge_object(**{name: "4900"}))

    @pytest.mark.parametrize("currency", [None, "", "euro", 978, "€"])
    def test_refuses_an_odd_currency(self, currency):
        with pytest.raises(MalformedObject, match="currency"):
            StripeCharge.read(charge_object(currency=currency))
