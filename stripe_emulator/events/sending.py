"""Sends deliveries and remembers the answers: https://docs.stripe.com/webhooks#behaviors"""

import json
import time
from dataclasses import dataclass, replace

import requests
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from stripe_emulator import clock
from stripe_emulator.events.chaos import TWIN
from stripe_emulator.events.claim import claim
from stripe_emulator.events.shape import OLD_VERSION, render
from stripe_emulator.events.signature import UNKNOWN_SECRET, signature_header, valid_secrets
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, Json

TIMEOUT = 10.0
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
LONGEST_ANSWER = 500
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
RETRIES = (5, 30, 5 * MINUTE, HOUR, 6 * HOUR, DAY, DAY)
"""Seconds of the emulator's clock between the tries; all of it happens within three days."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. No `status`: nothing did, and `error` says why."""

    status: int | None = None
    text: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send_due(limit: int) -> int:
    """Send up to so many due deliveries, one after another. Returns how many were sent."""
    claimed = claim(limit)
    for pk in claimed:
        send(pk)
    return len(claimed)


def send(pk: int) -> None:
    """One try of a claimed delivery; call it outside of any transaction."""
    delivery = Delivery.objects.select_related("event", "endpoint").filter(pk=pk).first()
    if delivery is None:
        return  # the emulator has forgotten everything meanwhile
    began, answer = timezone.now(), _answer(delivery)
    attempt = DeliveryAttempt(
        sent_at=began,
        seconds=round(answer.seconds, 3),
        status_code=answer.status,
        answer=answer.text,
        error=answer.error,
    )
    _record(pk, attempt, is_accepted=answer.is_accepted)


def _answer(delivery: Delivery) -> Answer:
    """The answer to this try, or what chaos makes of it."""
    variation = delivery.variation
    if delivery.tries == 0 and variation.get("unreachable"):
        return Answer(error="Connection refused (chaos).")
    body = json.dumps(_body(delivery), indent=2).encode()
    answer = _post(delivery.endpoint.data["url"], body, _signature(delivery, body))
    if delivery.tries == 0 and variation.get("lost_answer"):
        return Answer(error="The answer was lost (chaos).", seconds=answer.seconds)
    return _slowed(answer, variation.get("slow_seconds", 0))


def _body(delivery: Delivery) -> Json:
    """The event in the endpoint's own version, else the account's at that moment."""
    version = delivery.endpoint.data["api_version"] or delivery.event.api_version
    if delivery.variation.get("other_version"):
        version = settings.STRIPE_API_VERSION if version == OLD_VERSION else OLD_VERSION
    body = render(delivery.event, version)
    return _twin(body) if delivery.variation.get(TWIN) else body


def _twin(body: Json) -> Json:
    """The same of live mode: an event of its own, since no event has two modes."""
    shown = body["data"]["object"]
    told = {**body["data"], "object": shown | {"livemode": True} if "livemode" in shown else shown}
    return {**body, "id": body["id"].replace("evt_", "evt_live_", 1), "livemode": True, "data": told}


def _signature(delivery: Delivery, body: bytes) -> str:
    """Made anew for each try."""
    secrets = valid_secrets(delivery.endpoint.hidden, now=clock.emulated_now())
    others = [UNKNOWN_SECRET] if delivery.variation.get("rotation") else []
    return signature_header(body, secrets=[*others, *secrets], at=clock.real_now())


def _post(url: str, body: bytes, signature: str) -> Answer:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": USER_AGENT,
    }
    began = time.monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of this machine is none between Stripe and the endpoint
            with session.post(
                url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                start = next(response.iter_content(4 * LONGEST_ANSWER), b"").decode(errors="replace")
                text = start.replace("\0", "�")[:LONGEST_ANSWER]  # PostgreSQL keeps no zero bytes
                return Answer(response.status_code, text, seconds=time.monotonic() - began)
    except requests.RequestException as trouble:
        return Answer(error=_reason(trouble), seconds=time.monotonic() - began)


def _reason(trouble: BaseException) -> str:
    """What lies at the bottom of it, such as "ConnectionRefusedError: [Errno 111] Connection refused"."""
    while trouble.__context__ is not None:
        trouble = trouble.__context__
    return f"{type(trouble).__name__}: {trouble}"[:LONGEST_ANSWER]


def _slowed(answer: Answer, seconds: int) -> Answer:
    """The same answer so much later; nobody waits longer than TIMEOUT in all."""
    if not seconds or answer.status is None:
        return answer
    waited = answer.seconds + seconds
    time.sleep(max(min(waited, TIMEOUT) - answer.seconds, 0))
    if waited > TIMEOUT:
        return Answer(error=f"No answer within {TIMEOUT:.0f} s (chaos).", seconds=TIMEOUT)
    return replace(answer, seconds=waited)


@transaction.atomic
def _record(pk: int, attempt: DeliveryAttempt, *, is_accepted: bool) -> None:
    """Remember the try; what was not accepted is due again, or has failed for good."""
    delivery = Delivery.objects.select_for_update().filter(pk=pk).first()
    if delivery is None:
        return
    attempt.delivery = delivery
    attempt.save()
    if is_accepted:
        delivery.state = DeliveryState.DELIVERED
    elif delivery.state == DeliveryState.PENDING and delivery.tries >= len(RETRIES):
        delivery.state = DeliveryState.FAILED
    elif delivery.state == DeliveryState.PENDING:
        delivery.due_at = clock.emulated_now() + RETRIES[delivery.tries]
    delivery.tries += 1
    delivery.save(update_fields=["state", "due_at", "tries"])
