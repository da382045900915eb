"""Why a delivery is not taken, and how often: also one that never found the webhook's address is counted."""

from enum import StrEnum
from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from config.errors import misaddressed, request_id
from config.seen import Seen, seen
from payments.ledger.refusals import PROBE_HEADER, is_probe, refusals


class RefusalCode(StrEnum):
    """The `code` of the answer, of the log line and of the count. What each means: payments/diagnosis/causes.py.

    The lower rooms (payments.stripe_api.signature, payments.ledger.read_event) use the same words.
    """

    # Who brings it.
    MISSING_SIGNATURE = "missing_signature"
    INVALID_SIGNATURE = "invalid_signature"
    TIMESTAMP_TOO_OLD = "timestamp_too_old"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    # How it arrives.
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    LENGTH_REQUIRED = "length_required"
    BAD_CONTENT_LENGTH = "bad_content_length"
    INCOMPLETE_BODY = "incomplete_body"
    UNREADABLE_BODY = "unreadable_body"
    # What it says.
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    # Thin events are kept by now; counts of before may name it.
    THIN_EVENT = "thin_event"
    NOT_AN_EVENT = "not_an_event"
    INVALID_EVENT = "invalid_event"
    # What is missing here: Stripe brings it again.
    NO_WEBHOOK_SECRET = "no_webhook_secret"
    NOT_STORED = "not_stored"
    # Where it never came to the webhook, or broke on our side.
    WRONG_HOST = "wrong_host"
    WRONG_PATH = "wrong_path"
    SERVER_ERROR = "server_error"


def count_refusal(request: HttpRequest, code: str) -> None:
    """One more delivery that was refused for this reason, unless it was our own question. No database in here."""
    if is_probe(str(request.headers.get(PROBE_HEADER, ""))):
        return
    host = str(request.META.get("HTTP_HOST", ""))
    refusals.count(code, host=host, path=request.path, request_id=request_id(request), at=timezone.now())
    seen.append((Seen.REFUSAL, code, 0.0))


@receiver(misaddressed)
def count_misaddressed(sender: object, request: HttpRequest, code: str, **_later: Any) -> None:
    """What bears Stripe's signature header was meant for the webhook, wherever it has arrived."""
    if "HTTP_STRIPE_SIGNATURE" in request.META:
        count_refusal(request, code if code == RefusalCode.WRONG_HOST else RefusalCode.WRONG_PATH)
