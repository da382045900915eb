"""What every test may use: an activity and people who have registered for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import translation

from payments import bell
from registrations.models import Activity, Registration
from registrations.services.register import register
from tests.support.road import NOON


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The bell that deliveries ring has a connection, and a database in use cannot be dropped."""
    yield
    bell.stop()


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Whatever language the test before left behind: a request sets its own and keeps it."""
    with translation.override("en"):
        yield


@pytest.fixture
def make_activity(db: None) -> Callable[..., Activity]:
    def make(*, slug: str = "pottery", capacity: int = 10, price: int = 4900, **fields: object) -> Activity:
        starts_at = NOON + timedelta(days=30)
        return Activity.objects.create(
            slug=slug, title=slug.title(), price=price, capacity=capacity, starts_at=starts_at, **fields
        )

    return make


@pytest.fixture
def activity(make_activity: Callable[..., Activity]) -> Activity:
    return make_activity()


@pytest.fixture
def make_registration(activity: Activity) -> Callable[..., Registration]:
    def make(name: str = "Camille Martin", *, of: Activity = activity, language: str = "fr") -> Registration:
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return register(activity=of, name=name, email=email, language=language, at=NOON - timedelta(minutes=5))

    return make


@pytest.fixture
def registration(make_registration: Callable[..., Registration]) -> Registration:
    """Holds a place and waits for payment."""
    return make_registration()
