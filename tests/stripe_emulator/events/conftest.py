"""An endpoint with a real receiver behind it, and things that happen."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stripe_emulator import clock, store
from stripe_emulator.events.emit import emit
from stripe_emulator.events.endpoints import keep_endpoint
from stripe_emulator.models import Emulation, Event, StoredObject
from stripe_emulator.objects.account import new_customer, new_webhook_endpoint
from tests.support.webhook_receiver import Receiver, running_receiver

SECRET = "whsec_of_the_receiver"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def make_endpoint(db: None, receiver: Receiver) -> Callable[..., StoredObject]:
    def make(*, events: tuple[str, ...] = ("*",), url: str = "", **fields: Any) -> StoredObject:
        data = new_webhook_endpoint(clock.real_now(), url=url or receiver.url, enabled_events=list(events), **fields)
        return keep_endpoint(data, secret=SECRET)

    return make


@pytest.fixture
def endpoint(make_endpoint: Callable[..., StoredObject]) -> StoredObject:
    """Enabled, wants everything, in the account's version."""
    return make_endpoint()


@pytest.fixture
def happen(db: None) -> Callable[..., Event]:
    """Something happens to a new customer."""

    def happen(event_type: str = "customer.created", **fields: Any) -> Event:
        customer = store.keep(new_customer(clock.real_now(), **fields))
        return emit(event_type, customer, at=clock.now_for(customer))

    return happen


@pytest.fixture
def pass_time(db: None) -> Callable[[int], None]:
    """Only the clock: no timer goes off."""

    def pass_time(seconds: int) -> None:
        emulation = Emulation.current()
        emulation.ahead += seconds
        emulation.save()

    return pass_time
