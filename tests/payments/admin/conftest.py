"""A little of everything for the screens, come about as in real life, and somebody to look at it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from payments.billing.models import Subscription
from payments.ledger.models import HeldType, PaymentEvent
from payments.orders.models import OrderException
from payments.statuses import ExceptionKind
from tests.support.factories import UserFactory, make_staff
from tests.support.road import NOON, event_of, hear, keep
from tests.support.subscriber import make_plans
from tests.support.subscriptions import make_customer, make_subscription, paid, refs, tell, told

STORY = (
    "checkout.session.completed",
    "payment_intent.succeeded",
    "refund.created",
    "charge.dispute.created",
)


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
    hear(*(event_of(registration, event_type) for event_type in STORY))
    OrderException.objects.create(
        order=registration.order, kind=ExceptionKind.NO_PLACE, subject="pi_1", detail="<b>full</b>", opened_at=NOON
    )
    registration.order.refresh_from_db()
    return registration.order


@pytest.fixture
def plan(db):
    """Paid monthly, with a price at Stripe."""
    plan, _yearly = make_plans()
    plan.price = "price_monthly"
    plan.save()
    return plan


@pytest.fixture
def make_subscriber(plan):
    """`make_subscriber("ada")`: has subscribed and paid the first month."""

    def make(name: str) -> Subscription:
        customer = make_customer(f"cus_{name}", email=f"{name}@example.com", name=name.title(), city="Lyon")
        row = make_subscription(f"sub_{name}", customer=customer)
        names = {"subscription": f"sub_{name}", "customer": f"cus_{name}"}
        invoice = refs(**names, invoice=f"in_{name}", payment_intent=f"pi_{name}", charge=f"ch_{name}")
        tell(told(refs=refs(**names)), paid(refs=invoice))
        row.refresh_from_db()
        return row

    return make


@pytest.fixture
def subscription(make_subscriber):
    """Ada's."""
    return make_subscriber("ada")


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
