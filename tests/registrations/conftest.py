"""Somebody who was confirmed in a free activity, and the same person when they cannot come after all."""

import pytest

from registrations.models import Registration
from registrations.services.register import confirm_free
from registrations.services.staff_actions import free_place
from tests.support.road import NOON


@pytest.fixture
def confirmed(make_activity, make_registration) -> Registration:
    """Holds the only place in a free activity."""
    row = make_registration(of=make_activity(slug="open-day", price=0, capacity=1), language="en")
    confirm_free(registration=row, at=NOON)
    return row


@pytest.fixture
def given_up(confirmed) -> Registration:
    """Had the only place, and has given it up at noon."""
    free_place(registration=confirmed, reason="Cannot come", by="boss@example.com", at=NOON)
    confirmed.order.refresh_from_db()
    return confirmed
