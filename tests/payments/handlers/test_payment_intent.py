"""What the events of a PaymentIntent say."""

import pytest

from payments.facts import Failure, OrderFact, PaymentFact
from payments.statuses import OrderStatus
from payments.stripe_api.snapshots import MalformedObject, StripePaymentIntent
from tests.support.stripe_objects import NOON, ORDER, intent_object, told_by

SUCCEEDED = "payment_intent.succeeded"
FAILED = "payment_intent.payment_failed"
ABOUT = StripePaymentIntent.read(intent_object()).refs
OLD_SHAPE = {"latest_charge": None, "charges": {"object": "list", "data": [{"id": "ch_1"}]}, "invoice": None}


class TestSucceeded:
    @pytest.mark.parametrize("shape", [{}, OLD_SHAPE, {"latest_charge": {"id": "ch_1"}, "payment_record": None}])
    def test_tells_of_the_money_in_every_shape(self, shape):
        facts = told_by(SUCCEEDED, intent_object(**shape))

        assert facts == [PaymentFact(ABOUT, received=4900, currency="eur", occurred_at=NOON)]

    def test_tells_of_what_was_received_rather_than_asked(self):
        [fact] = told_by(SUCCEEDED, intent_object(amount=6000, amount_received=4900))

        assert isinstance(fact, PaymentFact)
        assert fact.received == 4900

    def test_never_guesses_what_a_status_means(self):
        with pytest.raises(MalformedObject, match="pi_1: its status is “sorcery”, which is unknown to us"):
            told_by(SUCCEEDED, intent_object(status="sorcery"))

    def test_tells_of_the_money_of_an_invoice_too(self):
        [fact] = told_by(SUCCEEDED, intent_object(invoice="in_1", metadata={}))

        assert isinstance(fact, PaymentFact)
        assert fact.refs.our_references() == ()

    @pytest.mark.parametrize("odd", [{"amount_received": None}, {"amount_received": True}, {"currency": "€€€"}])
    def test_refuses_money_without_an_amount(self, odd):
        with pytest.raises(MalformedObject, match="payment_intent pi_1"):
            told_by(SUCCEEDED, intent_object(**odd))


class TestPaymentFailed:
    @pytest.mark.parametrize("charge", ["ch_2", {"id": "ch_2", "object": "charge"}])
    def test_tells_why_and_which_charge(self, charge):
        error = {"code": "card_declined", "decline_code": "lost_card", "message": "No.", "charge": charge}

        [fact] = told_by(FAILED, intent_object(last_payment_error=error))

        assert isinstance(fact, OrderFact)
        assert (fact.status, fact.failure) == (OrderStatus.FAILED, Failure("lost_card", "No."))
        assert (fact.refs.charge, fact.refs.payment_intent, fact.refs.order) == ("ch_2", "pi_1", ORDER)

    def test_takes_the_latest_charge_when_the_error_names_none(self):
        [fact] = told_by(FAILED, intent_object(last_payment_error={"code": "expired_card"}))

        assert isinstance(fact, OrderFact)
        assert (fact.refs.charge, fact.failure.code) == ("ch_1", "expired_card")

    def test_does_without_any_reason(self):
        [fact] = told_by(FAILED, intent_object(last_payment_error=None, amount_received=None))

        assert isinstance(fact, OrderFact)
        assert fact.failure == Failure()


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("payment_intent.canceled", OrderStatus.CANCELED),
        ("payment_intent.requires_action", OrderStatus.ACTION_REQUIRED),
        ("payment_intent.processing", OrderStatus.PROCESSING),
    ],
)
class TestOtherStates:
    def test_tell_the_status(self, event_type, status):
        assert told_by(event_type, intent_object()) == [OrderFact(ABOUT, status, NOON)]


class TestCanceled:
    @pytest.mark.parametrize(
        ("reason", "status"),
        [
            ("automatic", OrderStatus.EXPIRED),
            ("expired", OrderStatus.EXPIRED),
            ("abandoned", OrderStatus.CANCELED),
            ("requested_by_customer", OrderStatus.CANCELED),
            (None, OrderStatus.CANCELED),
        ],
    )
    def test_is_no_word_for_a_time_that_ran_out(self, reason, status):
        intent = intent_object(status="canceled", cancellation_reason=reason)

        assert told_by("payment_intent.canceled", intent) == [OrderFact(ABOUT, status, NOON)]
