"""The database of each process, the order of the tests, and what every test may use: an activity and its people."""

import gc
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from math import inf

import pytest
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker

from accounts.shop import identity
from payments import bell
from payments.alerts.watch import forget_looks
from payments.incidents import switches
from payments.stripe_api import clock
from registrations.models import Activity, Registration
from registrations.services.register import register
from tests.support.database import drop_own_database, empty_tables, make_own_database
from tests.support.order import long_ones_first
from tests.support.road import NOON


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One more than there are cores: who waits for processes and browsers leaves theirs to others.

    None of its own for a single file, which is over before a second process has started.
    """
    if len(config.args) == 1 and ".py" in config.args[0]:
        return 0
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that nobody waits for one in the end: every process begins with its share of them."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = long_ones_first(items, processes)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Instead of pytest-django's: the migrations run once for all processes, and emptying the tables is cheap."""
    with django_db_blocker.unblock():
        make_own_database(worker=os.environ.get("PYTEST_XDIST_WORKER", ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty_tables())
        yield
    with django_db_blocker.unblock():
        bell.stop()  # it has a connection of its own
        drop_own_database()


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Whatever language the test before left behind: a request sets its own and keeps it."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _clock_unknown() -> None:
    """How far Stripe's clock is from ours was learned by the test before, of another time."""
    clock.forget()


@pytest.fixture(autouse=True)
def _nothing_is_looked_at() -> None:
    """At which moment each rule has looked last, the test before may have said, at another time."""
    forget_looks()


@pytest.fixture(autouse=True)
def _nothing_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks for an incident until one is opened: every few seconds would be a query that nobody can foresee."""
    monkeypatch.setattr(switches, "_known", switches._Known(until=inf))


@pytest.fixture(autouse=True)
def _shop_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks for the shop until one is made (`tests/support/shop.py`), for the same reason."""
    monkeypatch.setattr(identity, "_known", identity._Known(until=inf))


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
