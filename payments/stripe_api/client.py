"""The one client through which this process speaks to Stripe, or to what stands in for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import requests
import stripe
from django.conf import settings

CONNECT_SECONDS, ANSWER_SECONDS = 3.05, 20.0
MOST_RETRIES = 2
# Somebody waits for the page: what takes longer is no answer.
HURRIED_SECONDS = 5.0

# A switch of the whole library: it would send timings to Stripe and write a file in the user's home.
stripe.enable_telemetry = False


_is_hurried: ContextVar[bool] = ContextVar("is_hurried", default=False)


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Inside, each question is asked once and waits 5 seconds at most: for pages, not for workers."""
    token = _is_hurried.set(True)
    try:
        yield
    finally:
        _is_hurried.reset(token)


def stripe_client() -> stripe.StripeClient:
    """Made at the first call; it may be shared by threads."""
    make = _made_in_a_hurry if _is_hurried.get() else _made
    return make(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@lru_cache(maxsize=1)
def _made(key: str, base: str) -> stripe.StripeClient:
    # The library alone would wait for 80 seconds and try once: https://docs.stripe.com/error-low-level
    return _client(key, base, seconds=ANSWER_SECONDS, retries=MOST_RETRIES)


@lru_cache(maxsize=1)
def _made_in_a_hurry(key: str, base: str) -> stripe.StripeClient:
    return _client(key, base, seconds=HURRIED_SECONDS, retries=0)


def _client(key: str, base: str, *, seconds: float, retries: int) -> stripe.StripeClient:
    door = stripe.RequestsClient(timeout=(CONNECT_SECONDS, seconds), session=_without_proxy() if base else None)
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": base} if base else {},
        max_network_retries=retries,
        http_client=door,
    )


def _without_proxy() -> requests.Session:
    """What stands in for Stripe is near: a proxy of the environment does not know it."""
    session = requests.Session()
    session.trust_env = False
    return session
