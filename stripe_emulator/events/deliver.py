"""Claims due deliveries, sends them and records the answers: https://docs.stripe.com/webhooks#behaviors"""

import json
import time
from collections.abc import Callable, Collection

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from stripe_emulator import clock
from stripe_emulator.errors import Json
from stripe_emulator.events.chaos import TWIN, Chaos
from stripe_emulator.events.endpoints import UNKNOWN_SECRET, is_open, signature_header, valid_secrets
from stripe_emulator.events.payload import OLD_VERSION, render
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, Emulation, Event

LEASE_SECONDS = 120
"""Seconds after which somebody else may send what this process never came back from."""
QUIET_SECONDS = 1.0
"""Seconds without a new event after which nothing is held back to be overtaken any more."""
TIMEOUT = 10.0
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
LONGEST_ANSWER = 500
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
RETRIES = (5, 30, 5 * MINUTE, HOUR, 6 * HOUR, DAY, DAY)
"""Seconds of the emulator's clock between the attempts; all of it happens within three days."""
POLL_SECONDS = 0.05


class NewestEvent:
    """Tells since when no event was born."""

    def __init__(self) -> None:
        self._newest, self._since = -1, 0.0

    def newest(self) -> tuple[int, bool]:
        """The number of the newest event, and whether there was none after it for QUIET seconds."""
        newest = Event.objects.aggregate(newest=Max("number"))["newest"] or 0
        if newest != self._newest:
            self._newest, self._since = newest, time.monotonic()
        return newest, time.monotonic() - self._since >= QUIET_SECONDS


_newest_event = NewestEvent()


@transaction.atomic
def claim(limit: int, *, busy: Collection[int] = ()) -> list[int]:
    """Up to so many due deliveries, in the order in which they are to be sent; `busy` are in hand already.

    What is due to an endpoint that is disabled or deleted is stopped instead.
    """
    emulation = Emulation.current()
    now = clock.real_now() + emulation.ahead
    due = Delivery.objects.filter(state=DeliveryState.PENDING, due_at__lte=now).exclude(pk__in=busy)
    ordered = _in_order(due, Chaos.of(emulation))
    rows = ordered.select_related("endpoint").select_for_update(skip_locked=True, of=("self",))[:limit]
    going = [row.pk for row in rows if is_open(row.endpoint)]
    stopped = [row.pk for row in rows if not is_open(row.endpoint)]
    Delivery.objects.filter(pk__in=stopped).update(state=DeliveryState.STOPPED)
    Delivery.objects.filter(pk__in=going).update(due_at=now + LEASE_SECONDS)
    return going


def release(pk: int) -> None:
    """Give back what was claimed and not sent: it is due now."""
    Delivery.objects.filter(pk=pk, state=DeliveryState.PENDING).update(due_at=clock.emulated_now())


def send(pk: int) -> None:
    """One try of a claimed delivery; call it outside of any transaction."""
    delivery = Delivery.objects.select_related("event", "endpoint").filter(pk=pk).first()
    if delivery is None:
        return  # the emulator has forgotten everything meanwhile
    sent_at, attempt = timezone.now(), _attempt(delivery)
    attempt.sent_at, attempt.seconds = sent_at, round(attempt.seconds, 3)
    _record(pk, attempt)


def wait_for_acknowledgement(object_id: str, event_type: str, *, seconds: float) -> bool:
    """Until every delivery of the newest such event about the object is answered with 2xx, at most so long.

    Returns whether they are. An event that nobody has subscribed to is acknowledged at once.
    """
    return _wait_until(lambda: _is_acknowledged(object_id, event_type), seconds=seconds)


def wait_until_quiet(*, seconds: float) -> bool:
    """Until nothing is due any more, at most so long. Returns whether that is so; later retries do not count."""
    return _wait_until(_is_quiet, seconds=seconds)


def _in_order(due: QuerySet[Delivery], chaos: Chaos) -> QuerySet[Delivery]:
    """By position alone while events are shuffled, and only as far as nothing can overtake any more."""
    if not chaos.shuffle:
        return due.order_by("due_at", "position", "pk")
    newest, is_quiet = _newest_event.newest()
    return (due if is_quiet else due.filter(position__lte=newest)).order_by("position", "pk")


def _attempt(delivery: Delivery) -> DeliveryAttempt:
    """This try with its answer, or what chaos makes of it."""
    variation = delivery.variation
    if delivery.attempt_count == 0 and variation.get("unreachable"):
        return DeliveryAttempt(error="Connection refused (chaos).", seconds=0)
    body = json.dumps(_body(delivery), indent=2).encode()
    attempt = _post(delivery.endpoint.data["url"], body, _signature(delivery, body))
    if delivery.attempt_count == 0 and variation.get("lost_answer"):
        return DeliveryAttempt(error="The answer was lost (chaos).", seconds=attempt.seconds)
    return _slowed(attempt, variation.get("slow_seconds", 0))


def _body(delivery: Delivery) -> Json:
    """The event in the endpoint's own version, else the account's at that moment."""
    version = delivery.endpoint.data["api_version"] or delivery.event.api_version
    if delivery.variation.get("other_version"):
        version = settings.STRIPE_API_VERSION if version == OLD_VERSION else OLD_VERSION
    body = render(delivery.event, version)
    return _twin(body) if delivery.variation.get(TWIN) else body


def _twin(body: Json) -> Json:
    """A twin in live mode, under an id of its own, since no event has two modes."""
    shown = body["data"]["object"]
    data = {**body["data"], "object": shown | {"livemode": True} if "livemode" in shown else shown}
    return {**body, "id": body["id"].replace("evt_", "evt_live_", 1), "livemode": True, "data": data}


def _signature(delivery: Delivery, body: bytes) -> str:
    """Made anew for each try."""
    secrets = valid_secrets(delivery.endpoint.hidden, now=clock.emulated_now())
    others = [UNKNOWN_SECRET] if delivery.variation.get("rotation") else []
    return signature_header(body, secrets=[*others, *secrets], at=clock.real_now())


def _post(url: str, body: bytes, signature: str) -> DeliveryAttempt:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": USER_AGENT,
    }
    options: Json = {"headers": headers, "timeout": TIMEOUT, "allow_redirects": False, "stream": True}
    began = time.monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of this machine is none between Stripe and the endpoint
            with session.post(url, data=body, **options) as response:
                start = next(response.iter_content(4 * LONGEST_ANSWER), b"").decode(errors="replace")
                text = start.replace("\0", "�")[:LONGEST_ANSWER]  # PostgreSQL keeps no zero bytes
                answer = {"status_code": response.status_code, "answer": text}
    except requests.RequestException as trouble:
        answer = {"error": _reason(trouble)}
    return DeliveryAttempt(seconds=time.monotonic() - began, **answer)


def _reason(trouble: BaseException) -> str:
    """What lies at the bottom of it, such as "ConnectionRefusedError: [Errno 111] Connection refused"."""
    while trouble.__context__ is not None:
        trouble = trouble.__context__
    return f"{type(trouble).__name__}: {trouble}"[:LONGEST_ANSWER]


def _slowed(attempt: DeliveryAttempt, seconds: int) -> DeliveryAttempt:
    """Let the answer come so much later; nobody waits longer than TIMEOUT in all."""
    if not seconds or attempt.status_code is None:
        return attempt
    waited = attempt.seconds + seconds
    time.sleep(max(min(waited, TIMEOUT) - attempt.seconds, 0))
    if waited > TIMEOUT:
        return DeliveryAttempt(error=f"No answer within {TIMEOUT:.0f} s (chaos).", seconds=TIMEOUT)
    attempt.seconds = waited
    return attempt


@transaction.atomic
def _record(pk: int, attempt: DeliveryAttempt) -> None:
    """Remember the try; what was not accepted is due again, or has failed for good."""
    delivery = Delivery.objects.select_for_update().filter(pk=pk).first()
    if delivery is None:
        return
    attempt.delivery = delivery
    attempt.save()
    if attempt.is_accepted:
        delivery.state = DeliveryState.DELIVERED
    elif delivery.state == DeliveryState.PENDING and delivery.attempt_count >= len(RETRIES):
        delivery.state = DeliveryState.FAILED
    elif delivery.state == DeliveryState.PENDING:
        delivery.due_at = clock.emulated_now() + RETRIES[delivery.attempt_count]
    delivery.attempt_count += 1
    delivery.save(update_fields=["state", "due_at", "attempt_count"])


def _is_acknowledged(object_id: str, event_type: str) -> bool:
    event = Event.objects.filter(object_id=object_id, type=event_type).order_by("number").last()
    return event is not None and not event.deliveries.exclude(state=DeliveryState.DELIVERED).exists()


def _is_quiet() -> bool:
    due = Q(due_at__lte=clock.emulated_now()) | Q(attempt_count=0)
    return not Delivery.objects.filter(due, state=DeliveryState.PENDING).exists()


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
