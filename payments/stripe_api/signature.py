"""Is a delivery truly from Stripe, and from just now? Verified by Stripe's own code, refused in our words.

https://docs.stripe.com/webhooks#verify-events
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from stripe import SignatureVerificationError, WebhookSignature

SHOWN_OF_SECRET = 4


class SignatureRefused(Exception):
    """A delivery that does not prove where it comes from; the message tells nothing of what it carried.

    `seconds`: of one that is truly signed, how much later than now (negative: earlier).
    """

    code: ClassVar[str]
    message: ClassVar[str]

    def __init__(self, seconds: int = 0) -> None:
        super().__init__(self.message)
        self.seconds = seconds


class MissingSignature(SignatureRefused):
    """Somebody else's request, or a proxy that drops the header."""

    code = "missing_signature"
    message = "The Stripe-Signature header is missing."


class InvalidSignature(SignatureRefused):
    """Another endpoint's secret, a proxy that rewrites bodies, or a forgery."""

    code = "invalid_signature"
    message = "The signature matches none of the webhook secrets of this site."


class TimestampTooOld(SignatureRefused):
    """A recording played back, or a clock that is fast here."""

    code = "timestamp_too_old"
    message = "The signature is right but too old."


class TimestampInFuture(SignatureRefused):
    """Stripe's code lets these pass: a recording made for later, or a clock that is slow here."""

    code = "timestamp_in_future"
    message = "The signature is right but dated in the future: check the clock of this machine."


class Signed(NamedTuple):
    """How the secret ends with which it was signed, and how many seconds after our now it was, by Stripe's clock."""

    ending: str
    seconds: int


def verify(body: bytes, header: str, *, secrets: Sequence[str], tolerance: int, now: float) -> Signed:
    """Who signed it, and when.

    Raises a SignatureRefused unless a secret signed the body within `tolerance` seconds of `now`.
    """
    if not header.strip():
        raise MissingSignature
    secret = next((each for each in secrets if _signed_with(each, body, header)), None)
    if secret is None:
        raise InvalidSignature
    seconds = _timestamp(header) - round(now)
    if seconds < -tolerance:
        raise TimestampTooOld(seconds)
    if seconds > tolerance:
        raise TimestampInFuture(seconds)
    return Signed(ending(secret), seconds)


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """The Stripe-Signature header that Stripe would send with this body."""
    return WebhookSignature.generate_signature_header(body.decode(), secret, timestamp)


def ending(secret: str) -> str:
    """What is shown of a secret; of one that is no real one nothing."""
    return f"…{secret[-SHOWN_OF_SECRET:] if len(secret) > 3 * SHOWN_OF_SECRET else ''}"


def _signed_with(secret: str, body: bytes, header: str) -> bool:
    """The recency check of Stripe's code looks at the past only, so it stays off here."""
    try:
        WebhookSignature.verify_header(body, header, secret, tolerance=None)
    # Strangers' bytes also make it raise TypeError (header not ASCII) and ValueError (body not UTF-8).
    # Answering by value lets go of its error, which carries the whole body.
    except (SignatureVerificationError, TypeError, ValueError):
        return False
    return True


def _timestamp(header: str) -> int:
    """The number that was signed: read as Stripe's code reads it, the first `t` counts."""
    pairs = (part.split("=", 2) for part in header.split(","))
    return int(next(pair[1] for pair in pairs if pair[0] == "t"))
