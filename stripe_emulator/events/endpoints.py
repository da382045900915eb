"""Webhook endpoints: what they subscribe to, their secrets and signatures, whether they are open."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from stripe_emulator import clock, store
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.payload import OLD_VERSION
from stripe_emulator.models import Delivery, DeliveryState, Emulation, StoredObject
from stripe_emulator.store import random_text

MOST_ENDPOINTS = 16
LONGEST_URL = 2048
# Signs first in a rotation that chaos pretends; no receiver knows it.
UNKNOWN_SECRET = "whsec_that_nobody_has_heard_of"


def new_secret() -> str:
    """A secret in the form of Stripe's."""
    return f"whsec_{random_text(32)}"


@transaction.atomic
def keep_endpoint(data: Json, *, secret: str) -> StoredObject:
    """Keep a new endpoint that is signed for with this secret. Raises StripeRefusal beyond 16 endpoints."""
    Emulation.current(lock=True)  # two at once must not both become the sixteenth
    if store.find("webhook_endpoint").count() >= MOST_ENDPOINTS:
        raise StripeRefusal(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    return store.keep(data, secrets=[_valid_for_ever(secret)])


def set_secret(endpoint: StoredObject, secret: str) -> None:
    """Sign with this secret alone from now on. The endpoint is locked."""
    endpoint.remember(secrets=[_valid_for_ever(secret)])


def rotate(endpoint: StoredObject, *, hours: int) -> str:
    """Give the endpoint a new secret, which is returned; the ones before stay valid for so many hours at most.

    The endpoint is locked. https://docs.stripe.com/webhooks#roll-endpoint-secrets
    """
    now, secret = clock.emulated_now(), new_secret()
    ends = now + hours * 3600
    before = [
        {**each, "expires_at": min(each["expires_at"] or ends, ends)}
        for each in endpoint.hidden["secrets"]
        if each["expires_at"] is None or each["expires_at"] > now
    ]
    endpoint.remember(secrets=[*before, _valid_for_ever(secret)])
    return secret


def delete_endpoint(endpoint: StoredObject) -> Json:
    """Nothing is sent to it any more; what was planned is stopped. Returns the stub."""
    Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.PENDING).update(state=DeliveryState.STOPPED)
    return store.delete(endpoint)


def is_open(endpoint: StoredObject) -> bool:
    """Whether anything is sent to the endpoint: neither deleted nor disabled."""
    return not endpoint.is_deleted and endpoint.data["status"] == "enabled"


def wants(endpoint: StoredObject, event_type: str) -> bool:
    """Whether the endpoint has subscribed to the type."""
    return bool({"*", event_type} & set(endpoint.data["enabled_events"]))


def checked_url(url: str) -> str:
    """The URL if anything can be sent there; test mode allows plain HTTP. Raises StripeRefusal."""
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_complete = False
    if not is_complete or len(url) > LONGEST_URL or any(sign.isspace() for sign in url):
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise StripeRefusal(message, code="url_invalid", param="url")
    return url


def checked_events(types: Any) -> list[str]:
    """The types if they are a list of at least one. Raises StripeRefusal."""
    if not isinstance(types, list) or not types or not all(isinstance(each, str) and each for each in types):
        raise StripeRefusal("Invalid enabled_events: an array of at least one event type.", param="enabled_events")
    return list(dict.fromkeys(types))


def checked_version(version: str | None) -> str | None:
    """The version if its shapes are known; empty is the account's. Raises StripeRefusal."""
    known = (settings.STRIPE_API_VERSION, OLD_VERSION)
    if version and version not in known:
        raise StripeRefusal(f"Invalid API version: {version}. Known are {' and '.join(known)}.", param="api_version")
    return version or None


def valid_secrets(hidden: Json, *, now: int) -> list[str]:
    """The secrets of an endpoint that have not expired at this moment of the emulator's clock, newest first."""
    kept = [each["secret"] for each in hidden["secrets"] if each["expires_at"] is None or each["expires_at"] > now]
    return kept[::-1]


def signature_header(body: bytes, *, secrets: Iterable[str], at: int) -> str:
    """`Stripe-Signature` of this body at this real Unix time, with one `v1` for each secret."""
    signed = b"%d." % at + body
    signatures = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={at}", *signatures])


def _valid_for_ever(secret: str) -> Json:
    return {"secret": secret, "expires_at": None}
