"""A little of everything for the screens, come about as in real life, and somebody to look at it."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from modules_access.models import PlanOpening, Scope
from modules_access.services.keys import create_key
from payments.billing.models import Plan, Subscription
from payments.ledger.models import HeldType, PaymentEvent
from payments.orders.models import Order, OrderException
from payments.reconcile.models import ReconcileRun
from payments.statuses import ExceptionKind
from payments.stripe_api.lookups import ThrottledStripe
from registrations.models import Registration, WaitingEntry
from tests.support.database import shared_rows
from tests.support.factories import ActivityFactory, RegistrationFactory, UserFactory, make_staff
from tests.support.modules import make_grant, make_learner, make_module, make_token
from tests.support.road import NOON, event_of, hear, keep
from tests.support.subscriber import make_plans
from tests.support.subscriptions import make_customer, make_subscription, paid, refs, tell, told

STORY = (
    "checkout.session.completed",
    "payment_intent.succeeded",
    "refund.created",
    "charge.dispute.created",
)


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


def tell_of_all(registration: Registration) -> Order:
    """Its order, paid, partly given back, disputed, with an open question."""
    hear(*(event_of(registration, event_type) for event_type in STORY))
    OrderException.objects.create(
        order=registration.order, kind=ExceptionKind.NO_PLACE, subject="pi_1", detail="<b>full</b>", opened_at=NOON
    )
    registration.order.refresh_from_db()
    return registration.order


@pytest.fixture
def order(registration):
    """Paid, partly given back, disputed, with an open question."""
    return tell_of_all(registration)


def sell_plan() -> Plan:
    """Paid monthly, with a price at Stripe."""
    plan, _yearly = make_plans()
    plan.price = "price_monthly"
    plan.save()
    return plan


def subscribe(name: str) -> Subscription:
    """Somebody of this name has subscribed and paid the first month."""
    customer = make_customer(f"cus_{name}", email=f"{name}@example.com", name=name.title(), city="Lyon")
    row = make_subscription(f"sub_{name}", customer=customer)
    names = {"subscription": f"sub_{name}", "customer": f"cus_{name}"}
    invoice = refs(**names, invoice=f"in_{name}", payment_intent=f"pi_{name}", charge=f"ch_{name}")
    tell(told(refs=refs(**names)), paid(refs=invoice))
    row.refresh_from_db()
    return row


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
    """More than one of what there can be many of, so that a query for each would show; made once for the class."""
    with shared_rows(django_db_blocker):
        activity = ActivityFactory(slug="raku")
        tell_of_all(RegistrationFactory(activity=activity))
        HeldType.objects.create(type="charge.refunded", reason="looks odd", held_by=make_staff())
        Group.objects.create(name="Support")
        ReconcileRun.objects.create(started_at=NOON, since=NOON, until=NOON)
        plan = sell_plan()
        for name in ("ada", "grace", "mary"):
            subscribe(name)
        for name in ("Ali Benali", "Zoë Martin", "Max Meyer"):
            hear(event_of(RegistrationFactory(activity=activity, name=name), "checkout.session.completed"))
            WaitingEntry.objects.create(
                activity=activity, name=name, email="waits@example.com", language="fr", created_at=NOON
            )
        module, learner = make_module(), make_learner("learner@example.com")
        PlanOpening.objects.create(plan=plan, is_all=False).modules.add(module)
        for name in ("school", "shop", "archive"):
            create_key(name=name, scopes=[Scope.VERIFY], module=module, expires_at=None, by=None, at=NOON)
            make_token(learner, module, grant=make_grant(learner, module))
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
