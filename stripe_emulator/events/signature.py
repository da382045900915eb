"""Secrets and signatures of an endpoint: https://docs.stripe.com/webhooks#verify-manually"""

import hashlib
import hmac
from collections.abc import Iterable

from stripe_emulator.models import Json

# Signs first in a rotation that chaos pretends; no receiver knows it.
UNKNOWN_SECRET = "whsec_that_nobody_has_heard_of"


def valid_secrets(hidden: Json, *, now: int) -> list[str]:
    """The secrets of an endpoint that have not expired at this moment of the emulator's clock, newest first."""
    kept = [each["secret"] for each in hidden["secrets"] if each["expires_at"] is None or each["expires_at"] > now]
    return kept[::-1]


def signature_header(body: bytes, *, secrets: Iterable[str], at: int) -> str:
    """`Stripe-Signature` of this body at this real Unix time, with one `v1` for each secret."""
    signed = b"%d." % at + body
    signatures = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={at}", *signatures])
