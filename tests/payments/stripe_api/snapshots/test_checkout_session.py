"""How a Checkout session is read, in any shape."""

import pytest

from payments.stripe_api.snapshots import MalformedObject, Money, StripeCheckoutSession
from tests.support.stripe_objects import NO_AMOUNT, ORDER, REGISTRATION, session_object


class TestCheckoutSession:
    def test_names_itself_and_its_payment(self):
        refs = StripeCheckoutSession.read(session_object(payment_intent={"id": "pi_1"})).refs

        assert (refs.session, refs.payment_intent, refs.charge) == ("cs_test_1", "pi_1", "")

    def test_falls_back_on_the_client_reference(self):
        refs = StripeCheckoutSession.read(session_object(metadata={})).refs

        assert refs.order == ORDER

    @pytest.mark.parametrize("reference", ["cart-17", None, 12])
    def test_takes_only_a_uuid_as_client_reference(self, reference):
        refs = StripeCheckoutSession.read(session_object(metadata={}, client_reference_id=reference)).refs

        assert refs.order == ""

    def test_prefers_the_metadata_to_the_client_reference(self):
        refs = StripeCheckoutSession.read(session_object(client_reference_id=REGISTRATION)).refs

        assert refs.order == ORDER

    def test_tells_its_total_with_its_currency(self):
        assert StripeCheckoutSession.read(session_object(currency="EUR")).total == Money(4900, "eur")

    def test_needs_no_amount_as_long_as_nobody_asks(self):
        session = StripeCheckoutSession.read(session_object(amount_total=None, currency=None))

        assert session.mode == "payment"

    @pytest.mark.parametrize("amount", NO_AMOUNT)
    def test_refuses_an_amount_that_is_none(self, amount):
        session = StripeCheckoutSession.read(session_object(amount_total=amount))

        with pytest.raises(
            MalformedObject, match=r"checkout\.session cs_test_1: amount_total is .+ not a whole amount"
        ):
            _ = session.total

    @pytest.mark.parametrize("odd", [None, "", 7, [], {"x": 1}, "x" * 256])
    def test_refuses_an_object_without_an_id(self, odd):
        with pytest.raises(MalformedObject, match="its id is"):
            StripeCheckoutSession.read(session_object(id=odd))
