"""How plain Stripe JSON is read: strict about money, forgiving about the rest."""

import pytest

from payments.stripe_api.snapshots import (
    MalformedObject,
    StripeCheckoutSession,
    StripePaymentIntent,
    StripeRefund,
    id_of,
)
from tests.support.stripe_objects import ORDER, REGISTRATION, intent_object, refund_object, session_object


class TestIdOf:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("pi_1", "pi_1"),
            ({"id": "pi_1", "object": "payment_intent"}, "pi_1"),
            (None, ""),
            ({}, ""),
            (7, ""),
        ],
    )
    def test_takes_an_id_an_expanded_object_or_nothing(self, value, found):
        assert id_of(value) == found

    def test_drops_what_is_too_long_to_be_an_id(self):
        assert id_of("p" * 256) == ""


class TestNamesInMetadata:
    def test_are_all_read(self):
        refs = StripeCheckoutSession.read(session_object()).refs

        assert (refs.order, refs.registration, refs.attempt, refs.site) == (
            ORDER,
            REGISTRATION,
            2,
            "payments",
        )

    @pytest.mark.parametrize("metadata", [None, [], "odd", 7, {}, {"orderId": None}, {"orderId": 12, "attempt": {}}])
    def test_may_be_missing_or_odd(self, metadata):
        refs = StripePaymentIntent.read(intent_object(metadata=metadata)).refs

        assert refs.our_references() == ()
        assert refs.attempt is None

    @pytest.mark.parametrize("attempt", ["0", "-1", "2.0", "two", "", "٣", "9" * 30, 2, True])
    def test_hold_a_positive_attempt_or_none(self, attempt):
        refs = StripePaymentIntent.read(intent_object(metadata={"attempt": attempt})).refs

        assert refs.attempt is None

    def test_keep_the_id_of_an_old_system_as_it_is(self):
        refs = StripePaymentIntent.read(intent_object(metadata={"registrationId": " Reg-12/B "})).refs

        assert refs.registration == "Reg-12/B"

    def test_write_our_own_id_as_the_database_does(self):
        refs = StripePaymentIntent.read(intent_object(metadata={"orderId": ORDER.upper()})).refs

        assert refs.order == ORDER

    def test_are_dropped_when_too_long_to_be_stored(self):
        refs = StripePaymentIntent.read(intent_object(metadata={"registrationId": "r" * 500})).refs

        assert refs.registration == ""


class TestMalformedObject:
    def test_never_repeats_a_text_that_may_be_personal(self):
        with pytest.raises(MalformedObject) as refusal:
            StripeRefund.read(refund_object(amount="camille@example.com"))

        assert "camille" not in str(refusal.value)

    def test_names_an_odd_number(self):
        with pytest.raises(MalformedObject, match=r"amount is -1000, not a whole amount"):
            StripeRefund.read(refund_object(amount=-1000))
