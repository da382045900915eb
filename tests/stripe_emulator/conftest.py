"""What every test of the emulator may use."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from tests.support.billing import customer_with, price_of
from tests.support.checkout_sessions import session_params
from tests.support.emulator import official_client


@pytest.fixture
def still() -> Iterator[None]:
    """The time of day stands still: on a busy machine seconds pass between two calls, and timers count in seconds."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture
def stripe_api(db: None, still: None) -> Any:
    """The official client under the pinned version: `stripe_api.customers.create(…)`."""
    return official_client().v1


@pytest.fixture
def customer(stripe_api: Any) -> Any:
    """Pays with a card that works."""
    return customer_with(stripe_api)


@pytest.fixture
def price(stripe_api: Any) -> Any:
    """15.00 a month."""
    return price_of(stripe_api)


@pytest.fixture
def opened(stripe_api: Any) -> Callable[..., str]:
    """Open a session: `opened(mode="payment", …)`. Returns its id."""

    def open_session(params: Any = None, **more: Any) -> str:
        return str(stripe_api.checkout.sessions.create(params or session_params(**more)).id)

    return open_session
