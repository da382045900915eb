"""Calls to Stripe with a pause between them, for long runs: Stripe's rate limit belongs to the buyers first."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from payments.stripe_api import lookups
from payments.stripe_api.snapshots import Json

# https://docs.stripe.com/rate-limits
CALLS_PER_SECOND = 10.0
P = ParamSpec("P")
T = TypeVar("T")


class ThrottledStripe:
    """The calls of one run. Everything raises GatewayUnavailable and GatewayRefused."""

    def __init__(self, *, calls_per_second: float = CALLS_PER_SECOND) -> None:
        self.pause = 1 / calls_per_second
        self.next_at = 0.0

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function of the gateway or the lookups returns, asked when its turn has come."""
        self._wait()
        return function(*args, **kwargs)

    def pages(self, what: str, params: Mapping[str, Any]) -> Iterator[list[Json]]:
        """The pages of a list (`refunds`, `checkout.sessions`, …), the newest objects first; each page is one call."""
        pages = lookups.pages(what, params)
        while (page := self.call(next, pages, None)) is not None:
            yield page

    def _wait(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self.next_at - now))
        self.next_at = max(now, self.next_at) + self.pause
