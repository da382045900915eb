"""Questions to Stripe about sessions, with a pause between them: its limit belongs to the buyers first."""

import time
from collections.abc import Mapping
from typing import Any

from payments.checkout.session_facts import find_session
from payments.stripe_api import gateway
from payments.stripe_api.gateway import GatewayRefused
from payments.stripe_api.snapshots import StripeCheckoutSession

# https://docs.stripe.com/rate-limits
CALLS_PER_SECOND = 10.0


class Paced:
    """The calls of one run, with a pause between them; `calls`: how many there were."""

    def __init__(self, *, calls_per_second: float = CALLS_PER_SECOND) -> None:
        self.pause = 1 / calls_per_second
        self.next_at = 0.0
        self.calls = 0

    def wait(self) -> None:
        """Until the next question may be asked."""
        self.calls += 1
        now = time.monotonic()
        time.sleep(max(0.0, self.next_at - now))
        self.next_at = max(now, self.next_at) + self.pause


class Asking(Paced):
    """Questions about sessions. All of them raise GatewayUnavailable and GatewayRefused."""

    def find(self, session: str) -> StripeCheckoutSession | None:
        """The session as it is now; None if Stripe does not know it."""
        self.wait()
        return find_session(session)

    def expire(self, session: str) -> bool:
        """End the session. False: Stripe refused, because it is not open any more or for reasons of its own."""
        self.wait()
        try:
            gateway.expire_checkout_session(session=session)
        except GatewayRefused:
            return False
        return True

    def make_again(self, *, params: Mapping[str, Any], key: str) -> str:
        """The id of the session that was asked for with this key."""
        self.wait()
        return gateway.create_checkout_session(params=params, idempotency_key=key).refs.session
