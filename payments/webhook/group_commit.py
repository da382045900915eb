"""Group commit: deliveries that arrive at once are recorded by one statement and one commit (docs/adr/0019).

Only what is beyond doubt is answered here: truly signed, whole, for this site, and new. Everything else, and everything
while the database refuses, goes the ordinary way (payments/webhook/views.py), which has all the words for it.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from config.seen import Seen, seen
from payments.bell import ring
from payments.ledger.models import EventSource
from payments.ledger.read_event import Incoming, MalformedEvent
from payments.ledger.record import Recorded, RecordOutcome, record_new
from payments.stripe_api.clock import FAR_OFF
from payments.stripe_api.signature import SignatureRefused, verify
from payments.webhook.delivery import parse
from payments.webhook.views import tell

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came. `began`: by time.perf_counter."""

    path: str
    host: str
    signature: str
    body: bytes
    request_id: str
    began: float


def commit_group(deliveries: Sequence[Delivery]) -> list[bytes | None]:
    """Record what is new. Returns the body of each one's answer 200; None: to be answered in the ordinary way."""
    incoming = [_read(delivery) for delivery in deliveries]
    wanted = [
        (event, delivery.request_id) for event, delivery in zip(incoming, deliveries, strict=True) if event is not None
    ]
    stored = _record(wanted) if wanted else {}
    if any(event.id in stored and not event.ignored_reason for event, _id in wanted):
        ring()
    return [_answer(event, delivery, stored) for event, delivery in zip(incoming, deliveries, strict=True)]


def _read(delivery: Delivery) -> Incoming | None:
    if not settings.STRIPE_WEBHOOK_SECRETS or not _is_ours(delivery.host):
        return None
    if len(delivery.body) > settings.STRIPE_WEBHOOK_MAX_BYTES:
        return None
    tolerance = settings.STRIPE_WEBHOOK_TOLERANCE_SECONDS
    try:
        signed = verify(
            delivery.body, delivery.signature, secrets=settings.STRIPE_WEBHOOK_SECRETS, tolerance=tolerance,
            now=time.time(),
        )  # fmt: skip
        if abs(timedelta(seconds=signed.seconds)) > FAR_OFF:
            return None
        seen.append((Seen.SECRET, signed.ending, 0.0))
        return parse(
            delivery.body, expected_livemode=settings.STRIPE_LIVEMODE, expected_account=settings.STRIPE_ACCOUNT
        )
    except (SignatureRefused, MalformedEvent):
        return None


@lru_cache(maxsize=64)
def _is_ours(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _record(wanted: Sequence[tuple[Incoming, str]]) -> dict[str, int]:
    """{}: nothing was kept; one that nobody can store must not stand in the way of the others."""
    try:
        return record_new(wanted, source=EventSource.WEBHOOK, at=timezone.now())
    except DatabaseFailure as error:
        connection.close()
        log.warning("webhook.one_by_one", deliveries=len(wanted), error=type(error).__name__)
        return {}


def _answer(event: Incoming | None, delivery: Delivery, stored: dict[str, int]) -> bytes | None:
    """Of one that came twice the second finds nothing left: it is known by now."""
    if event is None or (row := stored.pop(event.id, None)) is None:
        return None
    seen.append((Seen.ANSWER, "webhook 2xx", time.perf_counter() - delivery.began))
    tell(
        event, Recorded(RecordOutcome.STORED, row), path=delivery.path, began=delivery.began,
        request_id=delivery.request_id,
    )  # fmt: skip
    return json.dumps({"received": True, "event": event.id, "duplicate": False}, separators=(",", ":")).encode()
