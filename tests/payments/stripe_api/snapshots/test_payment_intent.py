"""How a PaymentIntent is read, in any shape."""

import pytest

from payments.facts import Failure
from payments.stripe_api.snapshots import Money, StripePaymentIntent
from tests.support.stripe_objects import ORDER, intent_object


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
            ({"code": "card_declined", "decline_code": "generic_decline"}, "generic_decline"),
            ({"code": "debit_not_authorized", "decline_code": "generic_decline"}, "debit_not_authorized"),
            ({"code": "account_closed"}, "account_closed"),
        ],
    )
    def test_is_the_word_that_says_most(self, error, code):
        intent = StripePaymentIntent.read({"id": "pi_1", "object": "payment_intent", "last_payment_error": error})

        assert intent.failure.code == code


class TestPaymentIntent:
    @pytest.mark.parametrize(
        "shape",
        [
            {"latest_charge": "ch_1"},
            {"latest_charge": {"id": "ch_1", "object": "charge"}},
            {"latest_charge": None, "charges": {"data": [{"id": "ch_1"}, {"id": "ch_0"}]}},
        ],
    )
    def test_names_its_latest_charge_in_every_shape(self, shape):
        assert StripePaymentIntent.read(intent_object(**shape)).refs.charge == "ch_1"

    def test_tells_what_was_received(self):
        assert StripePaymentIntent.read(intent_object()).received == Money(4900, "eur")

    @pytest.mark.parametrize("charge", ["ch_2", {"id": "ch_2", "object": "charge"}])
    def test_names_the_declined_charge(self, charge):
        intent = StripePaymentIntent.read(intent_object(last_payment_error={"charge": charge}))

        assert intent.failure_refs.charge == "ch_2"
        assert intent.failure_refs.order == ORDER

    @pytest.mark.parametrize(
        ("error", "failure"),
        [
            (
                {"code": "card_declined", "decline_code": "lost_card", "message": "No."},
                Failure("lost_card", "No."),
            ),
            ({"code": "expired_card", "message": "Expired."}, Failure("expired_card", "Expired.")),
            ({"code": 7, "decline_code": [], "message": None}, Failure()),
            (None, Failure()),
            ("odd", Failure()),
        ],
    )
    def test_tells_why_the_last_try_failed(self, error, failure):
        assert StripePaymentIntent.read(intent_object(last_payment_error=error)).failure == failure
