"""A little of everything for the screens, come about as in real life, and somebody to look at it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from payments.ledger.models import HeldType, PaymentEvent
from payments.stripe_api.lookups import ThrottledStripe
from tests.support.database import shared_rows
from tests.support.everything import make_everything, sell_plan, subscribe, tell_of_all
from tests.support.factories import UserFactory, make_staff
from tests.support.road import event_of, keep


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch):
    """The emulator may be asked as often as one likes."""
    monkeypatch.setitem(ThrottledStripe.__init__.__kwdefaults__, "calls_per_second", 1_000_000.0)


@pytest.fixture
def staff(db):
    return make_staff(email="staff@example.com")


@pytest.fixture
def page(staff):
    """The browser of a member of staff who may do everything."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff)
    return client


@pytest.fixture
def order(registration):
    """Paid, partly given back, disputed, with an open question."""
    return tell_of_all(registration)


@pytest.fixture
def plan(db):
    """Paid monthly, with a price at Stripe."""
    return sell_plan()


@pytest.fixture
def make_subscriber(plan):
    """`make_subscriber("ada")`: has subscribed and paid the first month."""
    return subscribe


@pytest.fixture
def subscription(make_subscriber):
    """Ada's."""
    return make_subscriber("ada")


@pytest.fixture(scope="class")
def everything(django_db_setup, django_db_blocker):
    """Made once for the class."""
    with shared_rows(django_db_blocker):
        make_everything()
        yield


@pytest.fixture
def event(order):
    return order.events.get(type="checkout.session.completed")


@pytest.fixture
def waiting_event(registration):
    """Received, not processed yet."""
    event = event_of(registration, "checkout.session.expired")
    keep(event)
    return PaymentEvent.objects.get(stripe_event_id=event["id"])


@pytest.fixture
def held_type(staff):
    return HeldType.objects.create(type="charge.refunded", reason="looks odd", held_by=staff)


@pytest.fixture
def clerk(db):
    """May look at the ledger and do nothing else."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_paymentevent"))
    return user
