"""What tests of accounts may use: people at every stage, and browsers."""

import pytest

from accounts.models import User
from tests.support.factories import NOON, UserFactory


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def visitor(client):
    """A browser that reads English, in which nobody is signed in."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def camille(db) -> User:
    """Has confirmed her address and signs in with "password"."""
    return UserFactory.create(email="camille@example.com", name="Camille", language="en", email_confirmed_at=NOON)


@pytest.fixture
def begun(db) -> User:
    """Somebody has signed up with this address; nobody has opened the link."""
    return User.objects.create_user("begun@example.com", name="Beginner", language="en", date_joined=NOON)


@pytest.fixture
def closed(db) -> User:
    """Switched off by staff."""
    return UserFactory.create(email="closed@example.com", language="en", email_confirmed_at=NOON, is_active=False)


@pytest.fixture
def signed_in(visitor, camille):
    """The browser of somebody who is signed in."""
    visitor.force_login(camille)
    return visitor
