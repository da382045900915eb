"""What a fact is about, and which payment it speaks of."""

import pytest

from payments.apply.references import Match, ReferenceMap, resolve
from payments.facts import ObjectRefs
from payments.orders.models import Reference
from tests.support.factories import OrderFactory
from tests.support.subscriptions import make_customer, make_subscription

SUBSCRIPTION, ORDER, CUSTOMER = Match(subscription_id=1), Match(order_id=2), Match(customer_id=3)
LINK = ObjectRefs(invoice="in_1", payment_intent="pi_1")


def names(**known):
    return ReferenceMap(dict(known))


class TestFind:
    def test_takes_the_first_name_that_is_known(self):
        found = names(sub_1=SUBSCRIPTION, cs_1=ORDER)

        assert found.find(ObjectRefs(session="cs_1", subscription="sub_1")) == ORDER
        assert found.find(ObjectRefs(session="cs_2", subscription="sub_1")) == SUBSCRIPTION

    def test_never_takes_the_customer_where_something_else_is_named(self):
        found = names(cus_1=CUSTOMER)

        assert found.find(ObjectRefs(subscription="sub_1", customer="cus_1")) is None
        assert found.find(ObjectRefs(customer="cus_1")) == CUSTOMER


class TestLearn:
    def test_learns_what_belongs_to_a_subscription(self):
        found = names(sub_1=SUBSCRIPTION)

        assert found.learn(ObjectRefs(subscription="sub_1", invoice="in_1", payment_intent="pi_1"), SUBSCRIPTION)
        assert found.new_references == {"in_1", "pi_1"}
        assert (found.known["in_1"].payment, found.known["pi_1"].payment) == ("", "in_1")

    def test_learns_nothing_twice(self):
        found = names(sub_1=SUBSCRIPTION, in_1=SUBSCRIPTION)

        assert not found.learn(ObjectRefs(subscription="sub_1", invoice="in_1"), SUBSCRIPTION)

    def test_never_learns_a_customer_from_what_they_subscribe_to(self):
        found = names(sub_1=SUBSCRIPTION)

        assert not found.learn(ObjectRefs(subscription="sub_1", customer="cus_1"), SUBSCRIPTION)

    def test_never_learns_anything_about_a_customer(self):
        assert not names(cus_1=CUSTOMER).learn(ObjectRefs(customer="cus_1", invoice="in_1"), CUSTOMER)


class TestPaymentOf:
    def test_is_the_invoice_that_is_named(self):
        assert names().payment_of(ObjectRefs(invoice="in_1", payment_intent="pi_1", charge="ch_1")) == "in_1"

    def test_is_the_invoice_behind_the_payment_intent(self):
        found = names(pi_1=Match(subscription_id=1, payment="in_1"))

        assert found.payment_of(ObjectRefs(payment_intent="pi_1", charge="ch_1")) == "in_1"

    def test_is_the_invoice_behind_the_charge(self):
        found = names(ch_1=Match(subscription_id=1, payment="in_1"))

        assert found.payment_of(ObjectRefs(charge="ch_1")) == "in_1"

    def test_is_the_payment_intent_of_an_order(self):
        found = names(pi_1=ORDER, ch_1=Match(order_id=2, payment="pi_1"))

        assert found.payment_of(ObjectRefs(payment_intent="pi_1", charge="ch_1")) == "pi_1"
        assert found.payment_of(ObjectRefs(charge="ch_1")) == "pi_1"

    def test_is_the_charge_where_nothing_else_is_known(self):
        assert names().payment_of(ObjectRefs(charge="ch_1")) == "ch_1"


@pytest.mark.django_db
class TestResolve:
    @pytest.mark.parametrize("is_backwards", [False, True])
    def test_lets_a_chain_of_facts_teach_each_other(self, is_backwards):
        row = make_subscription()
        chain = [
            ObjectRefs(subscription="sub_1", invoice="in_1"),
            LINK,
            ObjectRefs(payment_intent="pi_1", charge="ch_1"),
            ObjectRefs(charge="ch_1"),
        ]

        found = resolve(chain[::-1] if is_backwards else chain)

        assert {found.payment_of(each) for each in chain} == {"in_1"}
        assert found.subscription_ids() == {row.pk}
        assert found.new_references == {"in_1", "pi_1", "ch_1"}

    def test_finds_an_order_and_a_subscription_in_one_batch(self):
        order, row = OrderFactory(), make_subscription()

        found = resolve([ObjectRefs(order=str(order.public_id)), ObjectRefs(subscription="sub_1")])

        assert (found.order_ids(), found.subscription_ids()) == ({order.pk}, {row.pk})

    def test_looks_up_what_is_only_mentioned(self):
        order = OrderFactory()
        name = f"order:{order.public_id}"

        assert resolve([], also={name}).known[name].order_id == order.pk

    def test_knows_customers_by_their_own_name_only(self):
        row = make_customer()

        found = resolve([ObjectRefs(customer="cus_1"), ObjectRefs(subscription="sub_9", customer="cus_1")])

        assert found.known == {"cus_1": Match(customer_id=row.pk)}

    def test_keeps_what_it_learned_with_the_payment_behind_it(self):
        make_subscription()

        resolve([ObjectRefs(subscription="sub_1", invoice="in_1"), LINK]).store()

        assert Reference.objects.get(name="pi_1").payment == "in_1"
        assert Reference.objects.get(name="pi_1").subscription.stripe_id == "sub_1"
