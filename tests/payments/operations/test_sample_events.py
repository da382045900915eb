"""Made-up events look like Stripe's, tell one coherent story, and are understood by the handlers."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from django.conf import settings
from stripe import checkout

from payments.facts import About, DisputeFact, Nothing, OrderFact, PaymentFact, RefundFact
from payments.handlers.registry import handled_types
from payments.operations.sample_events import SAMPLES, NoSample, sample_event
from payments.operations.samples.story import CURRENT_SHAPE, OLD_SHAPE, SHAPES, SampleSubject, Variation
from payments.statuses import OrderStatus
from tests.support.stripe_objects import Json, told_by

BEGAN = datetime(2026, 11, 20, 11, tzinfo=UTC)
LATER = BEGAN + timedelta(hours=1)
SUBJECT = SampleSubject(
    order="7b0c3f0e-43c1-4c53-9a5e-0d2f4f1f7a11",
    registration="f3b1a1f4-0f5e-4f0c-8a57-6f1b8a0f2b22",
    site="payments",
    attempt=2,
    amount=4900,
    currency="eur",
    email="camille@example.com",
    name="Camille",
    began_at=BEGAN,
)
WITHOUT_METADATA = ("refund.", "charge.refund.updated", "charge.dispute.")
CLASSES = {
    "checkout.session": checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
}
STATUSES = {
    "checkout.session.async_payment_failed": OrderStatus.FAILED,
    "checkout.session.expired": OrderStatus.EXPIRED,
    "payment_intent.canceled": OrderStatus.CANCELED,
    "payment_intent.payment_failed": OrderStatus.FAILED,
    "payment_intent.processing": OrderStatus.PROCESSING,
    "payment_intent.requires_action": OrderStatus.ACTION_REQUIRED,
}
PAYMENTS = {
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "payment_intent.succeeded",
}


def made(
    event_type: str, *, shape: str = CURRENT_SHAPE, subject: SampleSubject = SUBJECT, **different: object
) -> Json:
    variation = Variation(**different)  # type: ignore[arg-type]
    return sample_event(event_type, subject=subject, shape=shape, at=LATER, variation=variation)


def object_of(event: Json) -> Json:
    return event["data"]["object"]


def fact_of(event: Json) -> OrderFact | PaymentFact | RefundFact | DisputeFact:
    fact = told_by(event["type"], object_of(event), at=LATER)[0]
    assert not isinstance(fact, Nothing)
    return fact


class TestSamples:
    def test_exist_for_every_event_type_that_is_handled(self):
        assert sorted(SAMPLES) == handled_types()


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
        else:
            assert isinstance(fact, DisputeFact if "dispute" in event_type else RefundFact)
            assert (fact.amount, fact.currency) == (4900, "eur")

    def test_names_what_stripe_would_name(self, event_type, shape):
        about = fact_of(made(event_type, shape=shape)).about

        if event_type.startswith(WITHOUT_METADATA):
            assert about == About(payment_intent=about.payment_intent, charge=about.charge)
        else:
            assert (about.order, about.registration) == (SUBJECT.order, SUBJECT.registration)
            assert (about.attempt, about.site) == (2, "payments")
        assert about.stripe_names()


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

    def test_are_these_two_only(self):
        with pytest.raises(ValueError, match="2020-08-27"):
            made("refund.created", shape="2020-08-27")

    def test_refuse_a_type_without_a_sample(self):
        with pytest.raises(NoSample):
            made("customer.created")


class TestStory:
    def test_has_the_same_ids_in_every_event(self):
        abouts = [fact_of(made(event_type)).about for event_type in PAYMENTS | {"refund.created"}]

        assert len({about.payment_intent for about in abouts}) == 1
        assert len({about.charge for about in abouts if about.charge}) == 1
        assert len({about.session for about in abouts if about.session}) == 1

    def test_has_other_ids_for_another_attempt(self):
        again = dataclasses.replace(SUBJECT, attempt=3)

        first, second = (fact_of(made("payment_intent.succeeded", subject=each)) for each in (SUBJECT, again))

        assert first.about.payment_intent != second.about.payment_intent

    def test_uses_the_ids_that_are_known(self):
        known = dataclasses.replace(
            SUBJECT, session="cs_test_known", payment_intent="pi_known", charge="ch_known"
        )

        about = fact_of(made("checkout.session.completed", subject=known)).about
        refund = fact_of(made("refund.created", subject=known)).about

        assert (about.session, about.payment_intent) == ("cs_test_known", "pi_known")
        assert (refund.payment_intent, refund.charge) == ("pi_known", "ch_known")

    def test_gives_every_event_an_id_of_its_own(self):
        assert made("refund.created")["id"] != made("refund.created")["id"]

    def test_takes_the_event_id_that_it_is_given(self):
        event = sample_event(
            "refund.created", subject=SUBJECT, shape=OLD_SHAPE, at=LATER, event_id="evt_mine"
        )

        assert event["id"] == "evt_mine"

    def test_was_paid_soon_after_the_session_began(self):
        paid = fact_of(made("charge.refunded"))

        assert BEGAN < paid.occurred_at < BEGAN + timedelta(minutes=2)

    def test_has_nothing_that_is_later_than_the_event(self):
        hasty = dataclasses.replace(SUBJECT, began_at=LATER)

        assert fact_of(made("charge.refunded", subject=hasty)).occurred_at == LATER

    def test_shares_nothing_between_two_events(self):
        first, second = made("charge.refunded"), made("charge.refunded")

        object_of(first)["outcome"]["risk_score"] = 99

        assert object_of(second)["outcome"]["risk_score"] != 99


class TestVariation:
    @pytest.mark.parametrize(
        ("decline_code", "code"), [("lost_card", "card_declined"), ("expired_card", "expired_card")]
    )
    def test_declines_for_another_reason(self, decline_code, code):
        event = made("payment_intent.payment_failed", decline_code=decline_code)
        fact = fact_of(event)

        assert isinstance(fact, OrderFact)
        assert fact.failure.code == decline_code
        assert fact.failure.message
        assert object_of(event)["last_payment_error"]["code"] == code

    def test_declines_another_charge_the_second_time(self):
        charges = {
            fact_of(made("payment_intent.payment_failed", number=1)).about.charge,
            fact_of(made("payment_intent.payment_failed", number=2)).about.charge,
            fact_of(made("payment_intent.succeeded")).about.charge,
        }

        assert len(charges) == 3

    def test_refunds_a_part(self):
        event = made("charge.refunded", amount=1000)
        fact = fact_of(event)

        assert isinstance(fact, PaymentFact)
        assert (fact.received, fact.refunded) == (4900, 1000)
        assert object_of(event)["refunded"] is False

    def test_pays_another_amount_than_asked(self):
        fact = fact_of(made("checkout.session.completed", amount=100))

        assert isinstance(fact, PaymentFact)
        assert fact.received == 100

    def test_completes_a_session_with_a_delayed_method(self):
        fact = fact_of(made("checkout.session.completed", status="unpaid"))

        assert isinstance(fact, OrderFact)
        assert fact.status == OrderStatus.PROCESSING

    def test_needs_no_payment_for_what_costs_nothing(self):
        free = dataclasses.replace(SUBJECT, amount=0)

        fact = fact_of(made("checkout.session.completed", subject=free))

        assert isinstance(fact, OrderFact)
        assert (fact.status, fact.about.payment_intent) == (OrderStatus.PAID, "")

    def test_closes_a_dispute_as_won(self):
        fact = fact_of(made("charge.dispute.closed", status="won"))

        assert isinstance(fact, DisputeFact)
        assert (fact.status, fact.due_by) == ("won", None)

    def test_opens_a_dispute_that_can_be_answered(self):
        fact = fact_of(made("charge.dispute.created"))

        assert isinstance(fact, DisputeFact)
        assert fact.due_by
        assert fact.due_by > LATER
