"""Somebody who looks after activities."""

import pytest
from django.test import Client

from tests.support.factories import make_staff


@pytest.fixture
def staff(db):
    return make_staff(email="staff@example.com")


@pytest.fixture
def page(staff):
    """The browser of a member of staff who may do everything."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff)
    return client
