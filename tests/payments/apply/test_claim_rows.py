"""Which subscriptions and people get a row when they are named for the first time."""

import pytest

from payments.apply.references import claim_rows
from payments.billing.models import Customer, Subscription
from payments.facts import CustomerFact, InvoicePaymentFact, ObjectRefs, SubscriptionNoticeFact, SubscriptionStartedFact
from payments.ledger.models import PaymentEvent
from payments.orders.models import Reference
from payments.processing.drain import drain, sweep
from payments.statuses import EventStatus
from tests.support.factories import OrderFactory
from tests.support.road import ledger_row
from tests.support.subscriptions import (
    NOON,
    invoice_object,
    make_customer,
    make_plan,
    make_subscription,
    paid,
    refs,
    subscription_object,
    told,
)

pytestmark = pytest.mark.django_db

OURS, THEIRS = refs(site="payments"), refs(site="another-site")


@pytest.fixture(autouse=True)
def plan():
    return make_plan()


def strange(**names):
    """A subscription whose price is no plan's."""
    return told(refs=refs(**names), terms=told().terms.__class__(price="price_of_tea"))


def claimed():
    return list(Subscription.objects.values_list("stripe_id", flat=True))


class TestAdopt:
    @pytest.mark.parametrize(
        "fact", [told(refs=OURS), paid(refs=OURS), SubscriptionStartedFact(OURS, order="", occurred_at=NOON)]
    )
    def test_makes_rows_for_what_names_our_site(self, fact):
        claim_rows([fact])

        row = Subscription.objects.get()
        assert (row.stripe_id, row.status, row.needs_resync) == ("sub_1", "", True)
        assert Customer.objects.get().stripe_id == "cus_1"

    @pytest.mark.parametrize("fact", [told(), paid()], ids=["a subscription", "an invoice"])
    def test_makes_rows_for_what_has_one_of_our_prices(self, fact):
        claim_rows([fact])

        assert claimed() == ["sub_1"]

    def test_makes_rows_for_what_has_a_former_price(self, plan):
        plan.price, plan.former_prices = "price_new", ["price_monthly"]
        plan.save()

        claim_rows([told()])

        assert claimed() == ["sub_1"]

    def test_makes_a_row_for_whatever_somebody_known_subscribes_to(self):
        make_customer()

        claim_rows([strange()])

        assert claimed() == ["sub_1"]

    def test_makes_a_row_for_what_one_of_our_orders_began(self):
        order = OrderFactory(kind="plan")

        claim_rows([SubscriptionStartedFact(refs(), order=str(order.public_id), occurred_at=NOON)])

        assert claimed() == ["sub_1"]

    def test_believes_what_another_fact_of_the_batch_says_of_the_same_subscription(self):
        claim_rows([SubscriptionNoticeFact(refs(), "payment_failed", NOON), told(refs=OURS)])

        assert claimed() == ["sub_1"]

    @pytest.mark.parametrize(
        "fact",
        [
            told(refs=THEIRS),
            paid(refs=THEIRS),
            strange(),
            SubscriptionStartedFact(refs(), order="", occurred_at=NOON),
            SubscriptionStartedFact(refs(), order="7b0c3f0e-43c1-4c53-9a5e-0d2f4f1f7a11", occurred_at=NOON),
            SubscriptionNoticeFact(refs(), "payment_failed", NOON),
            InvoicePaymentFact(ObjectRefs(invoice="in_1", payment_intent="pi_1"), NOON),
            CustomerFact(ObjectRefs(customer="cus_1"), NOON),
        ],
        ids=[
            "another site", "its invoice", "an unknown price", "a Checkout without order", "with an unknown order",
            "a failure", "a link", "somebody",
        ],
    )  # fmt: skip
    def test_leaves_alone_what_nothing_says_to_be_ours(self, fact):
        claim_rows([fact])

        assert not Subscription.objects.exists()
        assert not Customer.objects.exists()
        assert not Reference.objects.exists()

    def test_believes_another_site_more_than_our_price_and_customer(self):
        make_customer()

        claim_rows([told(refs=THEIRS)])

        assert claimed() == []

    def test_teaches_the_names_that_are_new(self):
        assert claim_rows([told()]).new_references == {"sub_1", "cus_1"}
        assert set(Reference.objects.values_list("name", flat=True)) == {"sub_1", "cus_1"}

    def test_knows_what_is_there_already(self):
        make_customer(name="Ada")
        make_subscription(status="active")

        found = claim_rows([told(), paid()])

        assert (found.new_references, found.customers["cus_1"].name) == (set(), "Ada")
        assert Subscription.objects.get().status == "active"

    def test_costs_no_query_for_facts_about_orders(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            claim_rows([])


class TestForeignSubscription:
    """What is not ours is kept and rests: it must not come back again and again."""

    @staticmethod
    def hear(*objects):
        rows = [
            {
                "id": f"evt_{number}", "type": f"{word}", "created": int(NOON.timestamp()), "livemode": False,
                "api_version": "", "data": {"object": source},
            }
            for number, (word, source) in enumerate(objects)
        ]  # fmt: skip
        PaymentEvent.objects.bulk_create([ledger_row(row, at=NOON) for row in rows])
        drain(at=NOON)

    @pytest.fixture
    def tea(self):
        rows = {"data": [{"price": {"id": "price_of_tea", "unit_amount": 900, "currency": "eur"}}]}
        return subscription_object(metadata={}, items=rows)

    @pytest.fixture
    def bill(self):
        parent = {"subscription_details": {"subscription": "sub_1", "metadata": {}}}
        return invoice_object(parent=parent, lines=None)

    def test_rests_while_nobody_knows_it(self, tea, bill):
        self.hear(("customer.subscription.updated", tea), ("invoice.paid", bill))

        assert not Subscription.objects.exists()
        assert set(PaymentEvent.objects.values_list("status", "ignored_reason")) == {("IGNORED", "unmatched")}
        assert (sweep(at=NOON), sweep(at=NOON)) == (0, 0)

    def test_comes_back_when_the_customer_becomes_known(self, tea, bill):
        self.hear(("customer.subscription.updated", tea), ("invoice.paid", bill))
        make_customer()

        assert sweep(at=NOON) == 2
        drain(at=NOON)

        row = Subscription.objects.get()
        assert (row.status, row.plan, row.payments.get().received) == ("active", None, 400)
        assert sweep(at=NOON) == 0

    def test_of_another_site_rests_even_when_the_customer_is_known(self):
        make_customer()
        theirs = subscription_object(metadata={"site": "another-site"})

        self.hear(("customer.subscription.updated", theirs))

        assert not Subscription.objects.exists()
        assert PaymentEvent.objects.get().status == EventStatus.IGNORED
        assert (sweep(at=NOON), sweep(at=NOON)) == (0, 0)
