"""What every test of the emulator may use."""

from typing import Any

import pytest

from tests.support.emulator import official_client


@pytest.fixture
def stripe_api(db: None) -> Any:
    """The official client under the pinned version: `stripe_api.customers.create(…)`."""
    return official_client().v1
