"""Made-up Stripe events about one made-up order, and what the handlers hear in them."""

from datetime import UTC, datetime, timedelta

from payments.facts import Fact, NoFacts
from payments.samples.events import sample_event
from payments.samples.story import CURRENT_SHAPE, SampleSubject, Variation
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
PAYMENTS = {
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "payment_intent.succeeded",
}


def made(event_type: str, *, shape: str = CURRENT_SHAPE, subject: SampleSubject = SUBJECT, **different: object) -> Json:
    """One event about the subject, an hour after its session began."""
    variation = Variation(**different)  # type: ignore[arg-type]
    return sample_event(event_type, subject=subject, shape=shape, at=LATER, variation=variation)


def object_of(event: Json) -> Json:
    """The Stripe object that it carries."""
    return event["data"]["object"]


def fact_of(event: Json) -> Fact:
    """The first thing that its handler says."""
    fact = told_by(event["type"], object_of(event), at=LATER)[0]
    assert not isinstance(fact, NoFacts)
    return fact
