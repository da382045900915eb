"""Made-up events look like Stripe's and are understood by the handlers."""

import json

import pytest
import stripe
from django.conf import settings
from stripe import checkout, radar

from payments.facts import DisputeFact, FraudWarningFact, ObjectRefs, OrderFact, PaymentFact, RefundFact
from payments.handlers.registry import handled_types
from payments.samples.events import NOT_ABOUT_ORDERS, SAMPLES, NoSample
from payments.samples.story import OLD_SHAPE, SHAPES
from payments.statuses import OrderStatus
from payments.stripe_api.snapshots import StripeDispute
from tests.support.sample_orders import LATER, PAYMENTS, SUBJECT, fact_of, made, object_of

WITHOUT_METADATA = ("refund.", "charge.refund.updated", "charge.dispute.", "radar.")
CLASSES = {
    "checkout.session": checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "radar.early_fraud_warning": radar.EarlyFraudWarning,
}
STATUSES = {
    "checkout.session.async_payment_failed": OrderStatus.FAILED,
    "checkout.session.expired": OrderStatus.EXPIRED,
    "payment_intent.canceled": OrderStatus.CANCELED,
    "payment_intent.payment_failed": OrderStatus.FAILED,
    "payment_intent.processing": OrderStatus.PROCESSING,
    "payment_intent.requires_action": OrderStatus.ACTION_REQUIRED,
}


class TestSamples:
    def test_exist_for_every_event_type_that_is_handled(self):
        assert sorted(SAMPLES) == [name for name in handled_types() if not name.startswith(NOT_ABOUT_ORDERS)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAMPLES))
class TestSampleEvent:
    def test_is_a_complete_event(self, event_type, shape):
        event = json.loads(json.dumps(made(event_type, shape=shape)))

        assert event["object"] == "event"
        assert event["id"].startswith("evt_")
        assert event["type"] == event_type
        assert event["created"] == int(LATER.timestamp())
        assert event["livemode"] is False
        assert event["api_version"] == (shape if shape == OLD_SHAPE else settings.STRIPE_API_VERSION)

    def test_is_understood_by_its_handler(self, event_type, shape):
        fact = fact_of(made(event_type, shape=shape))

        if event_type in STATUSES:
            assert isinstance(fact, OrderFact)
            assert fact.status == STATUSES[event_type]
        elif event_type in PAYMENTS:
            assert isinstance(fact, PaymentFact)
            assert (fact.received, fact.currency) == (4900, "eur")
        elif event_type.startswith("radar."):
            assert isinstance(fact, FraudWarningFact)
            assert fact.is_actionable is event_type.endswith("created")
        else:
            assert isinstance(fact, DisputeFact if "dispute" in event_type else RefundFact)
            assert (fact.amount, fact.currency) == (4900, "eur")

    def test_names_what_stripe_would_name(self, event_type, shape):
        refs = fact_of(made(event_type, shape=shape)).refs

        if event_type.startswith(WITHOUT_METADATA):
            assert refs == ObjectRefs(payment_intent=refs.payment_intent, charge=refs.charge)
        else:
            assert (refs.order, refs.registration) == (SUBJECT.order, SUBJECT.registration)
            assert (refs.attempt, refs.site) == (2, "payments")
        assert refs.stripe_references()


class TestShapes:
    @pytest.mark.parametrize("event_type", sorted(SAMPLES))
    def test_hold_today_only_fields_that_stripe_knows(self, event_type):
        fields = object_of(made(event_type))

        known = set(CLASSES[fields["object"]].__annotations__)
        assert set(fields) - known == set()

    @pytest.mark.parametrize(
        ("event_type", "name"),
        [
            ("checkout.session.completed", "shipping_details"),
            ("payment_intent.succeeded", "invoice"),
            ("charge.refunded", "invoice"),
        ],
    )
    def test_held_fields_before_that_are_gone_now(self, event_type, name):
        assert name in object_of(made(event_type, shape=OLD_SHAPE))
        assert name not in object_of(made(event_type))

    @pytest.mark.parametrize(
        ("status", "took_money"), [("prevented", True), ("warning_needs_response", False), ("needs_response", False)]
    )
    def test_tell_what_kind_of_case_a_dispute_is(self, status, took_money):
        read = StripeDispute.read(object_of(made("charge.dispute.created", status=status, amount=1250)))

        assert (read.amount, read.took_money) == (1250, took_money)

    def test_are_these_two_only(self):
        with pytest.raises(ValueError, match="2020-08-27"):
            made("refund.created", shape="2020-08-27")

    def test_refuse_a_type_without_a_sample(self):
        with pytest.raises(NoSample):
            made("customer.created")
