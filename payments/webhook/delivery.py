"""A delivery as it comes in: its raw body, byte by byte as it was signed; the event in it; and why it is not taken.

The sentences of refusals are not translated: Stripe's Dashboard shows them, and the runbook quotes them.
"""

import hashlib
import json
import math
from collections.abc import Callable
from typing import NoReturn

from django.http import HttpRequest
from rest_framework import status
from rest_framework.exceptions import APIException

from payments.ledger.read_event import Incoming, MalformedEvent, read_event
from payments.webhook.refusals import RefusalCode

# Stripe comes back by itself, hours later; this is for proxies and people.
RETRY_SECONDS = 30
# More digits than any length has; Python refuses to read thousands of them.
MAX_LENGTH_DIGITS = 15


class Refusal(APIException):
    """A delivery that is wrong and stays wrong: 400."""

    status_code: int = status.HTTP_400_BAD_REQUEST

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(detail=message, code=code)


class DeliveryTooLarge(Refusal):
    """No Stripe event is that long."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(RefusalCode.BODY_TOO_LARGE, f"The body is longer than {limit} bytes.")


class LengthRequired(Refusal):
    """The web server can't tell us where a body without a length ends."""

    status_code = status.HTTP_411_LENGTH_REQUIRED

    def __init__(self) -> None:
        super().__init__(RefusalCode.LENGTH_REQUIRED, "Send the body with a Content-Length.")


class NotReady(Refusal):
    """The delivery may be right, we are not: 503, so that Stripe brings it again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = RETRY_SECONDS


def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """The body. Raises a Refusal: too long (before it is read), cut off, or without a readable length."""
    try:
        if _is_chunked(request):
            return _read_chunked(request, limit=limit)
        return _read_exactly(request, _content_length(request, limit=limit))
    except OSError:
        raise Refusal(RefusalCode.UNREADABLE_BODY, "The body could not be read to its end.") from None


def _is_chunked(request: HttpRequest) -> bool:
    return "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH")


def _content_length(request: HttpRequest, *, limit: int) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0").strip()
    if not (text.isascii() and text.isdigit()):
        raise Refusal(RefusalCode.BAD_CONTENT_LENGTH, "Content-Length is not a number.")
    if len(text) > MAX_LENGTH_DIGITS or int(text) > limit:
        raise DeliveryTooLarge(limit)
    return int(text)


def _read_exactly(request: HttpRequest, length: int) -> bytes:
    body = _read(request.read, length)
    if len(body) < length:
        raise Refusal(RefusalCode.INCOMPLETE_BODY, "The body is shorter than its Content-Length.")
    return body


def _read_chunked(request: HttpRequest, *, limit: int) -> bytes:
    """Django reads nothing without a length; a server that ends its input itself lets us read it here."""
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    body = _read(request.META["wsgi.input"].read, limit + 1)
    if len(body) > limit:
        raise DeliveryTooLarge(limit)
    return body


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    """Up to `size` bytes; one call may bring fewer, and none at all means that there are no more."""
    pieces: list[bytes] = []
    while size > 0 and (piece := read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def parse(body: bytes, *, expected_livemode: bool, expected_account: str) -> Incoming:
    """Read the body of a delivery. Raises MalformedEvent."""
    return read_event(
        _read_json(body),
        body_sha256=hashlib.sha256(body).hexdigest(),
        expected_livemode=expected_livemode,
        expected_account=expected_account,
    )


def _read_json(body: bytes) -> object:
    try:
        return json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError:
        raise MalformedEvent(RefusalCode.NOT_UTF8, "The body is not UTF-8.") from None
    except RecursionError:
        raise MalformedEvent(RefusalCode.TOO_DEEP, "The body has more levels than any Stripe event.") from None
    except ValueError:
        raise MalformedEvent(RefusalCode.NOT_JSON, "The body is not JSON.") from None


def _finite(text: str) -> float:
    """1e999 is JSON, but it would become infinite, which PostgreSQL's JSON does not know."""
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number that JSON knows")
