"""The one client through which this process speaks to Stripe, or to what stands in for it."""

from functools import lru_cache

import requests
import stripe
from django.conf import settings

CONNECT_SECONDS, ANSWER_SECONDS = 3.05, 20.0
MOST_RETRIES = 2

# A switch of the whole library: it would send timings to Stripe and write a file in the user's home.
stripe.enable_telemetry = False


def stripe_client() -> stripe.StripeClient:
    """Made at the first call; it may be shared by threads."""
    return _made(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@lru_cache(maxsize=1)
def _made(key: str, base: str) -> stripe.StripeClient:
    # The library alone would wait for 80 seconds and try once: https://docs.stripe.com/error-low-level
    door = stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS), session=_without_proxy() if base else None)
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": base} if base else {},
        max_network_retries=MOST_RETRIES,
        http_client=door,
    )


def _without_proxy() -> requests.Session:
    """What stands in for Stripe is near: a proxy of the environment does not know it."""
    session = requests.Session()
    session.trust_env = False
    return session
