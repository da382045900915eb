"""Where Stripe's deliveries arrive: verify, keep, answer 200. Everything else is the workers' business.

https://docs.stripe.com/webhooks
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from structlog.contextvars import bind_contextvars

from config.seen import Seen, seen
from payments.bell import ring_on_commit
from payments.ledger.models import EventSource
from payments.ledger.read_event import Incoming, MalformedEvent
from payments.ledger.record import Recorded, RecordOutcome, record_event
from payments.names import ORDER, REGISTRATION
from payments.stripe_api import clock
from payments.stripe_api.signature import SignatureRefused, ending, verify
from payments.webhook.delivery import NotReady, Refusal, parse, read_body
from payments.webhook.refusals import RefusalCode, count_refusal

log = structlog.get_logger(__name__)
MAX_CLOCK_SECONDS = 365 * 24 * 3600
LOG_EVENTS = {
    RecordOutcome.STORED: "event.received",
    RecordOutcome.DUPLICATE: "event.duplicate",
    RecordOutcome.REQUEUED: "event.requeued",
}


class AlwaysJson(BaseContentNegotiation):
    """Whatever the caller accepts: an odd Accept header or `?format=` is no reason to lose an event."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> None:
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return next(iter(renderers)), JSONRenderer.media_type


class WebhookView(APIView):
    """Open to anybody: the signature says who it is, and is checked before anything touches the database."""

    http_method_names = ["post"]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = ()
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJson

    def post(self, request: Request) -> Response:
        incoming = receive(request._request)
        bind_contextvars(stripe_event=incoming.id)
        recorded = store(incoming, request_id=request_id(request), at=timezone.now())
        follow_up(incoming, recorded, request._request)
        is_known = recorded.outcome is not RecordOutcome.STORED
        response = Response({"received": True, "event": incoming.id, "duplicate": is_known})
        response.has_own_line = True  # type: ignore[attr-defined]
        return response

    def handle_exception(self, exc: Exception) -> Response:
        code = exc.get_codes() if isinstance(exc, APIException) else RefusalCode.SERVER_ERROR
        # Who asks with another method looks whether somebody is there, and delivers nothing.
        if self.request.method == "POST":
            count_refusal(self.request._request, str(code))
        response = super().handle_exception(exc)
        if isinstance(exc, APIException):
            log.warning("webhook.refused", code=code, reason=str(exc.detail), status=exc.status_code)
        return response


def receive(request: HttpRequest) -> Incoming:
    """The event that this request truly brings from Stripe. Raises a Refusal. No database in here.

    Only of a clock that is far off the database is told, once an hour, by what is truly signed.
    """
    header = request.META.get("HTTP_STRIPE_SIGNATURE", "")
    secrets = settings.STRIPE_WEBHOOK_SECRETS
    unsigned = settings.STRIPE_WEBHOOK_UNSIGNED and not settings.PRODUCTION and not secrets
    if not secrets and not unsigned:
        raise NotReady(RefusalCode.NO_WEBHOOK_SECRET, "No webhook secret is configured on this site.")
    try:
        body = read_body(request, limit=settings.STRIPE_WEBHOOK_MAX_BYTES)
        if not unsigned:
            _verify(body, header, secrets=secrets)
        return parse(body, expected_livemode=settings.STRIPE_LIVEMODE, expected_account=settings.STRIPE_ACCOUNT)
    except (SignatureRefused, MalformedEvent) as refused:
        raise Refusal(RefusalCode(refused.code), str(refused)) from None


def _verify(body: bytes, header: str, *, secrets: Sequence[str]) -> None:
    """Raises a SignatureRefused. The date that Stripe has signed also tells whether our clock is right."""
    try:
        signed = verify(
            body, header, secrets=secrets, tolerance=settings.STRIPE_WEBHOOK_TOLERANCE_SECONDS, now=time.time()
        )
    except SignatureRefused as refused:
        _look_at_clock(refused.seconds)
        raise
    seen.append((Seen.SECRET, signed.ending, 0.0))
    _look_at_clock(signed.seconds)


def _look_at_clock(seconds: int) -> None:
    told = max(-MAX_CLOCK_SECONDS, min(seconds, MAX_CLOCK_SECONDS))
    if abs(timedelta(seconds=told)) > clock.FAR_OFF:
        clock.notice(timedelta(seconds=told), at=timezone.now())


def store(incoming: Incoming, *, request_id: str, at: datetime) -> Recorded:
    """Put the event into the ledger. Raises NotReady: without that commit Stripe must not hear “received”."""
    try:
        return _record(incoming, request_id=request_id, at=at)
    except DatabaseFailure as error:
        # The class only: PostgreSQL's sentences can quote the row.
        log.error("webhook.not_stored", stripe_event=incoming.id, error=type(error).__name__)
        raise NotReady(RefusalCode.NOT_STORED, "The event could not be stored just now.") from None


def _record(incoming: Incoming, *, request_id: str, at: datetime) -> Recorded:
    """Once more on a fresh connection: after a restart of PostgreSQL each kept one fails exactly once."""
    try:
        return record_event(incoming, source=EventSource.WEBHOOK, request_id=request_id, at=at)
    except DatabaseFailure:
        connection.close()
    return record_event(incoming, source=EventSource.WEBHOOK, request_id=request_id, at=at)


def follow_up(incoming: Incoming, recorded: Recorded, request: HttpRequest) -> None:
    """Wake the workers where there is work, and leave the one line about this delivery."""
    if recorded.outcome is not RecordOutcome.DUPLICATE and not incoming.ignored_reason:
        ring_on_commit()
    tell(incoming, recorded, path=request.path, began=getattr(request, "began", time.perf_counter()))


def tell(incoming: Incoming, recorded: Recorded, *, path: str, began: float, **more: str) -> None:
    """The line about a delivery that is kept. `began`: when it came, by time.perf_counter."""
    log.info(
        LOG_EVENTS[recorded.outcome],
        stripe_event=incoming.id,
        type=incoming.type,
        object=incoming.object_id,
        event_id=recorded.id,
        ignored=incoming.ignored_reason or None,
        path=path,
        status=status.HTTP_200_OK,
        duration_ms=round((time.perf_counter() - began) * 1000, 1),
        **_named(incoming),
        **more,
    )


def _named(incoming: Incoming) -> dict[str, str]:
    """What the event names of ours, unseen: the order's public id and the registration."""
    named = (name.partition(":") for name in incoming.mentions if name.startswith((ORDER, REGISTRATION)))
    names = {"order": "order_public_id"}
    return {names.get(noun, noun): name for noun, _colon, name in named}


def request_id(request: Request) -> str:
    """The id that the middleware gave this request."""
    return str(getattr(request, "request_id", ""))


def announce() -> None:
    """Say whether signatures are verified, and with how many secrets; never with which."""
    count = len(settings.STRIPE_WEBHOOK_SECRETS)
    seen.extend((Seen.SECRET_SET, ending(secret), 0.0) for secret in settings.STRIPE_WEBHOOK_SECRETS)
    if count:
        log.info("webhook.verification", verification="on", secrets=count)
    elif settings.STRIPE_WEBHOOK_UNSIGNED and not settings.PRODUCTION:
        log.warning("webhook.verification", verification="off", secrets=0)
    else:
        log.error("webhook.verification", verification="impossible: every delivery gets 503", secrets=0)
