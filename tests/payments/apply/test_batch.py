"""One batch in memory: what its facts are about is found, locked and written back together."""

import pytest

from payments.apply.apply import apply
from payments.apply.batch import Batch, FactSet
from payments.billing.models import Customer, Subscription
from payments.facts import CustomerFact, ObjectRefs, OrderFact, SubscriptionStartedFact
from payments.orders.models import Order
from payments.statuses import OrderStatus
from tests.support.factories import OrderFactory
from tests.support.subscriptions import NOON, make_customer, make_plan, make_subscription, paid, refs, tell, told

pytestmark = pytest.mark.django_db

ADA = CustomerFact(ObjectRefs(customer="cus_1"), NOON, name="Ada", city="Lyon", country="FR")


@pytest.fixture
def order():
    return OrderFactory(kind="plan")


def began(order):
    """What a completed session of our order tells: the order is settled, a subscription began, who the buyer is."""
    names = ObjectRefs(order=str(order.public_id), site="payments", session="cs_1")
    return [
        OrderFact(names, OrderStatus.PAID, NOON, by_subscription=True),
        SubscriptionStartedFact(refs(site="payments"), order=str(order.public_id), occurred_at=NOON),
        ADA,
    ]


class TestTargets:
    def test_groups_facts_by_what_they_are_about(self, order):
        facts = began(order)
        batch = Batch.lock(facts)

        targets = batch.targets([*facts, told()])

        assert [target.facts for target in targets] == [[facts[0]], [facts[1], told()], [ADA]]

    def test_leaves_out_what_nobody_knows(self):
        assert Batch.lock([told()]).targets([told(), ADA]) == []


class TestSave:
    def test_writes_order_subscription_and_customer_of_one_event(self, order):
        (applied,) = tell(*began(order)).applied

        row = Subscription.objects.get()
        assert (applied.order_id, applied.subscription_id) == (order.pk, row.pk)
        assert (Order.objects.get().status, row.order) == (OrderStatus.PAID, order)
        assert (row.customer.name, row.customer.city) == ("Ada", "Lyon")

    def test_writes_people_who_have_no_subscription_here(self):
        make_customer()

        tell(ADA)

        assert Customer.objects.get().name == "Ada"

    def test_writes_many_events_about_one_subscription_once(self, django_assert_max_num_queries):
        make_plan()
        make_subscription()
        fact_sets = [FactSet([fact], source="a test", occurred_at=NOON) for fact in (told(), paid()) for _ in range(20)]

        with django_assert_max_num_queries(30):
            report = apply(fact_sets, at=NOON)

        assert [bool(each.folded.changes) for each in report.applied].count(True) == 2

    def test_returns_what_it_taught(self, order):
        assert tell(*began(order)).new_references == {"cs_1", "sub_1", "cus_1"}

    def test_lets_facts_of_one_batch_find_what_another_brings(self):
        make_plan()
        person, whole = (FactSet([fact], source="a test", occurred_at=NOON) for fact in (ADA, told()))

        report = apply([person, whole], at=NOON)

        assert [each.reason for each in report.applied] == ["", ""]
        assert Customer.objects.get().name == "Ada"
