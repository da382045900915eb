"""Stripe's side of the webhook: events as it sends them, truly signed."""

import itertools
import json
import time
from typing import Any

from django.conf import settings

from payments.stripe_api.signature import sign

URL = "/stripe/webhooks"
_numbers = itertools.count(1)


def make_event(**changes: Any) -> dict[str, Any]:
    """A whole event of our mode with an id of its own; `object=` merges into the Stripe object that it carries."""
    stripe_object = {"id": "cs_test_a1", "object": "checkout.session", "amount_total": 4900, "currency": "eur"}
    stripe_object |= changes.pop("object", {})
    event = {
        "id": f"evt_{time.time_ns()}_{next(_numbers)}",
        "object": "event",
        "api_version": settings.STRIPE_API_VERSION,
        "created": int(time.time()),
        "data": {"object": stripe_object},
        "livemode": settings.STRIPE_LIVEMODE,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
    return event | changes


def thin_event(event_type: str = "v2.core.account.updated", **changes: Any) -> dict[str, Any]:
    """A thin event of our mode as it is delivered: https://docs.stripe.com/event-destinations"""
    event = {
        "id": f"evt_test_{time.time_ns()}_{next(_numbers)}",
        "object": "v2.core.event",
        "type": event_type,
        "livemode": settings.STRIPE_LIVEMODE,
        "created": "2026-03-02T12:00:00.500Z",
        "context": None,
        "reason": None,
    }
    return event | changes


def event_not_made(impact: dict[str, Any] | None = None) -> dict[str, Any]:
    """Stripe could not make an event; `impact` names what of, None: the delivery does not carry it."""
    event_type = "v2.core.health.event_generation_failure.resolved"
    if impact is None:
        return thin_event(event_type)
    told = {"event_type": "payment_intent.succeeded", **impact}
    data = {"alert_id": "halert_1", "grouping_key": "g", "resolved_at": "2026-03-02T12:00:00.000Z", "impact": told}
    return thin_event(event_type, data={**data, "summary": "We have failed to create a notification."})


def body_of(event: object) -> bytes:
    """The bytes that Stripe sends: pretty-printed JSON."""
    return json.dumps(event, indent=2).encode()


def signature_of(body: bytes, *, secret: str = "", timestamp: int | None = None) -> str:
    """The Stripe-Signature header: by the newest secret of this site, from just now, unless told otherwise."""
    return sign(body, secret or settings.STRIPE_WEBHOOK_SECRETS[0], timestamp or int(time.time()))


def signed_post(client: Any, event: object, *, url: str = URL, secret: str = "", **headers: str) -> Any:
    """Deliver an event (a dict, or the very bytes) as Stripe does; `headers` as in `HTTP_X_REQUEST_ID=…`."""
    body = event if isinstance(event, bytes) else body_of(event)
    signature = signature_of(body, secret=secret)
    return client.post(url, body, content_type="application/json", HTTP_STRIPE_SIGNATURE=signature, **headers)
