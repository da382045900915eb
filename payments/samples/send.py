"""Delivers a signed event to a webhook address as Stripe would, then tells what became of it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection, InvalidURL
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.orders.models import Order, OrderException
from payments.statuses import EffectStatus, EventStatus
from payments.stripe_api.signature import sign

SERVER_TIMEOUT_SECONDS = 20
POLL_INTERVAL_SECONDS = 0.1


class CannotSend(RuntimeError):
    """The event cannot be delivered; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the server said to one delivery."""

    status: int
    body: str

    @property
    def is_accepted(self) -> bool:
        """For Stripe only 2xx is a success; a redirect is not."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Baseline:
    """How things stood before the delivery."""

    order_id: int
    order_status: str
    effects: Mapping[int, str]
    """The status of each effect of the order, by its id."""

    @classmethod
    def of(cls, order: Order) -> "Baseline":
        """Now, for this order."""
        effects = dict(Effect.objects.filter(order=order).values_list("pk", "status"))
        return cls(order_id=order.pk, order_status=order.status, effects=effects)


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of an event: its ledger row and newest try (None: not there), order, effects, open questions."""

    event: PaymentEvent | None
    attempt: EventAttempt | None
    order: Order
    before: Baseline
    effects: list[Effect]
    questions: list[OrderException]

    @property
    def is_decided(self) -> bool:
        """Whether somebody has processed the event, well or not."""
        return self.event is not None and self.event.status != EventStatus.RECEIVED


def send(event: Mapping[str, Any], *, url: str, times: int, at: datetime) -> list[Delivery]:
    """Deliver the same event so many times, each truly signed. Raises CannotSend."""
    if settings.PRODUCTION:
        raise CannotSend("Made-up events would mark orders as paid that nobody paid: not in production.")
    if not settings.STRIPE_WEBHOOK_SECRETS:
        raise CannotSend("STRIPE_WEBHOOK_SECRET is not set, so nothing can be signed: `make run` sets one up.")
    body = json.dumps(event, indent=2).encode()
    header = sign(body, settings.STRIPE_WEBHOOK_SECRETS[0], int(at.timestamp()))
    return [_post(body, url=url, signature=header) for _ in range(times)]


def watch(event_id: str, *, before: Baseline, seconds: float) -> EventResult:
    """Wait, at most so long, until the event is decided and its effects delivered; tell how things stand."""
    deadline = time.monotonic() + seconds
    while not _is_over(event_id, before=before) and time.monotonic() < deadline:
        time.sleep(POLL_INTERVAL_SECONDS)
    event = PaymentEvent.objects.filter(stripe_event_id=event_id).first()
    return EventResult(
        event=event,
        attempt=event.attempt_rows.order_by("pk").last() if event else None,
        order=Order.objects.get(pk=before.order_id),
        before=before,
        effects=_moved_effects(before),
        questions=list(OrderException.objects.filter(order=before.order_id, is_open=True)),
    )


def _is_over(event_id: str, *, before: Baseline) -> bool:
    is_decided = PaymentEvent.objects.filter(stripe_event_id=event_id).exclude(status=EventStatus.RECEIVED).exists()
    under_way = Q(status=EffectStatus.CLAIMED) | Q(status=EffectStatus.PENDING, not_before__lte=Now())
    return is_decided and not Effect.objects.filter(under_way, order_id=before.order_id).exists()


def _moved_effects(before: Baseline) -> list[Effect]:
    """Noted since, or no longer as they were: a mail that is not wanted any more is skipped, say."""
    rows = Effect.objects.filter(order_id=before.order_id).order_by("pk")
    return [row for row in rows if before.effects.get(row.pk) != row.status]


def _post(body: bytes, *, url: str, signature: str) -> Delivery:
    """One POST over a connection of its own, no proxy, no redirect followed: as it arrives, so it is told."""
    connection, path = _connect(url)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    try:
        connection.request("POST", path, body=body, headers=headers)
        response = connection.getresponse()
        return Delivery(response.status, response.read().decode(errors="replace").strip())
    except (OSError, HTTPException) as error:
        raise CannotSend(f"{url} does not answer ({error}): is `make run` running?") from error
    finally:
        connection.close()


def _connect(url: str) -> tuple[HTTPConnection, str]:
    kinds = {"http": HTTPConnection, "https": HTTPSConnection}
    try:
        parts = urlsplit(url)
        connection = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=SERVER_TIMEOUT_SECONDS)
    except (KeyError, ValueError, InvalidURL) as error:
        raise CannotSend(f"{url!r} is no web address: give one like http://127.0.0.1:8000/stripe/webhooks.") from error
    return connection, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
