"""Makes complete Stripe events about one of our orders, as Stripe would send them, for drills and tests."""

import copy
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import uuid4

from django.conf import settings

from payments.samples import payment_objects, refund_objects
from payments.samples.story import OLD_SHAPE, SHAPES, Json, SampleSubject, Story, Variation

SAMPLES: dict[str, Callable[[Story], Json]] = {
    "checkout.session.completed": payment_objects.completed,
    "checkout.session.async_payment_succeeded": partial(
        payment_objects.checkout_session, status="complete", payment_status="paid"
    ),
    "checkout.session.async_payment_failed": partial(
        payment_objects.checkout_session, status="complete", payment_status="unpaid"
    ),
    "checkout.session.expired": partial(payment_objects.checkout_session, status="expired", payment_status="unpaid"),
    "payment_intent.succeeded": payment_objects.succeeded,
    "payment_intent.payment_failed": payment_objects.declined,
    "payment_intent.canceled": payment_objects.canceled,
    "payment_intent.requires_action": payment_objects.waiting_for_buyer,
    "payment_intent.processing": payment_objects.processing,
    "charge.refunded": refund_objects.refunded_charge,
    "charge.refund.updated": refund_objects.refund,
    "refund.created": refund_objects.refund,
    "refund.updated": refund_objects.refund,
    "refund.failed": refund_objects.failed_refund,
    "charge.dispute.created": partial(refund_objects.dispute, usual_status="needs_response"),
    "charge.dispute.updated": partial(refund_objects.dispute, usual_status="under_review"),
    "charge.dispute.closed": partial(refund_objects.dispute, usual_status="lost"),
    "charge.dispute.funds_withdrawn": partial(refund_objects.dispute, usual_status="needs_response"),
    "charge.dispute.funds_reinstated": partial(refund_objects.dispute, usual_status="won"),
    "radar.early_fraud_warning.created": partial(refund_objects.fraud_warning, is_actionable=True),
    "radar.early_fraud_warning.updated": partial(refund_objects.fraud_warning, is_actionable=False),
}
# Told of people and their subscriptions, which one begins on the site: the Stripe emulator sends the real thing.
NOT_ABOUT_ORDERS = ("customer.", "invoice.", "invoice_payment.", "setup_intent.")
# Stripe says what was different before in the `…updated` events only.
PREVIOUS: dict[str, Json] = {
    "charge.refund.updated": {"status": "pending"},
    "refund.updated": {"status": "pending"},
    "charge.dispute.updated": {"status": "needs_response"},
    "radar.early_fraud_warning.updated": {"actionable": True},
}


class NoSample(LookupError):
    """There is no sample of this event type."""


def sample_event(
    event_type: str,
    *,
    subject: SampleSubject,
    shape: str,
    at: datetime,
    event_id: str | None = None,
    variation: Variation | None = None,
) -> Json:
    """One event about the subject, in one of SHAPES. Raises NoSample for a type without one.

    A subject always has its own Stripe ids, so that several events tell one story; the id of the event itself is
    fresh.
    """
    if event_type not in SAMPLES:
        raise NoSample(event_type)
    if shape not in SHAPES:
        raise ValueError(f"{shape!r} is no shape of the API; there are {', '.join(SHAPES)}.")
    story = Story(subject=subject, shape=shape, at=at, variation=variation or Variation())
    previous = {"previous_attributes": PREVIOUS[event_type]} if event_type in PREVIOUS else {}
    event = {
        "id": event_id or f"evt_1{uuid4().hex[:23]}",
        "object": "event",
        "api_version": OLD_SHAPE if story.is_old() else settings.STRIPE_API_VERSION,
        "created": story.now(),
        "data": {"object": SAMPLES[event_type](story), **previous},
        "livemode": subject.livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }
    return copy.deepcopy(event)
