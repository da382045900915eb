"""How a subscription is read, in any shape."""

from datetime import timedelta

import pytest

from payments.facts import Terms
from payments.stripe_api.snapshots import MalformedObject, StripeSubscription
from payments.stripe_api.snapshots.subscription import read_terms
from tests.support.stripe_objects import ORDER
from tests.support.subscriptions import (
    BEGIN,
    END,
    NOON,
    item_object,
    old_subscription_object,
    price_object,
    subscription_object,
    unix,
)

NEVER = [None, 0, True, "soon", -1, 10**18]


def items(*rows):
    return {"object": "list", "data": list(rows)}


class TestRead:
    @pytest.mark.parametrize("customer", ["cus_1", {"id": "cus_1", "object": "customer"}])
    def test_names_itself_its_customer_and_our_site(self, customer):
        refs = StripeSubscription.read(subscription_object(customer=customer)).refs

        assert (refs.subscription, refs.customer, refs.site) == ("sub_1", "cus_1", "payments")

    def test_is_not_about_the_order_that_began_it(self):
        assert StripeSubscription.read(subscription_object()).refs.our_references() == ()

    def test_keeps_a_status_that_nobody_knows_yet(self):
        assert StripeSubscription.read(subscription_object(status="hibernating")).status == "hibernating"

    @pytest.mark.parametrize("name", ["id", "status"])
    @pytest.mark.parametrize("odd", [None, "", 7, []])
    def test_refuses_to_guess_what_decides(self, name, odd):
        with pytest.raises(MalformedObject):
            StripeSubscription.read(subscription_object(**{name: odd}))


class TestPeriod:
    @pytest.mark.parametrize("source", [subscription_object(), old_subscription_object()], ids=["current", "old"])
    def test_is_found_in_every_shape(self, source):
        assert StripeSubscription.read(source).period == (BEGIN, END)

    def test_spans_all_items(self):
        longer = item_object(current_period_end=unix(END + timedelta(days=1)))

        period = StripeSubscription.read(subscription_object(items=items(item_object(), longer))).period

        assert period == (BEGIN, END + timedelta(days=1))

    @pytest.mark.parametrize("odd", [None, [], {}, {"data": None}, {"data": ["si_1"]}])
    def test_may_be_missing(self, odd):
        assert StripeSubscription.read(subscription_object(items=odd)).period == (None, None)


class TestCancelAt:
    def test_is_the_end_of_the_period_where_only_that_is_told(self):
        ending = subscription_object(cancel_at_period_end=True)

        assert StripeSubscription.read(ending).cancel_at == END

    def test_is_the_date_that_is_told(self):
        ending = subscription_object(cancel_at=unix(NOON), cancel_at_period_end=True)

        assert StripeSubscription.read(ending).cancel_at == NOON

    @pytest.mark.parametrize("odd", NEVER)
    def test_is_never_otherwise(self, odd):
        assert StripeSubscription.read(subscription_object(cancel_at=odd)).cancel_at is None


class TestTold:
    def test_says_the_same_in_every_shape(self):
        current = StripeSubscription.read(subscription_object()).to_fact(at=NOON)
        old = StripeSubscription.read(old_subscription_object()).to_fact(at=NOON)

        assert current == old

    def test_tells_the_whole_of_it(self):
        ended = subscription_object(
            status="canceled", canceled_at=unix(BEGIN), ended_at=unix(NOON), trial_end=unix(BEGIN)
        )

        fact = StripeSubscription.read(ended).to_fact(at=NOON)

        assert (fact.status, fact.occurred_at, fact.started_at) == ("canceled", NOON, BEGIN)
        assert (fact.canceled_at, fact.ended_at, fact.trial_end) == (BEGIN, NOON, BEGIN)
        assert (fact.order, fact.plan, fact.price) == (ORDER, "monthly", "price_monthly")

    @pytest.mark.parametrize("metadata", [None, [], {}, {"orderId": "cart-17", "plan": 7}])
    def test_does_without_metadata_of_ours(self, metadata):
        fact = StripeSubscription.read(subscription_object(metadata=metadata)).to_fact(at=NOON)

        assert (fact.order, fact.plan, fact.refs.site) == ("", "", "")


class TestReadTerms:
    def test_counts_every_item_and_names_the_first(self):
        rows = items(item_object(quantity=3), item_object(price=price_object(id="price_extra", unit_amount=50)))

        terms = read_terms(subscription_object(items=rows))

        assert terms == Terms("price_monthly", 1250, "eur", "month", 1, 3)

    def test_understands_the_oldest_subscriptions_which_have_a_plan(self):
        plan = {"id": "gold", "amount": 900, "currency": "eur", "interval": "year", "interval_count": 2}

        terms = read_terms(subscription_object(items=items({"plan": plan, "quantity": 1})))

        assert terms == Terms("gold", 900, "eur", "year", 2)

    @pytest.mark.parametrize("amount", [None, True, "400", -4, 4.5, 10**20])
    def test_counts_a_price_without_a_fixed_amount_as_nothing(self, amount):
        rows = items(item_object(price=price_object(unit_amount=amount)))

        assert read_terms(subscription_object(items=rows)).amount == 0

    @pytest.mark.parametrize("quantity", [None, 0, -1, True, "3", 10**9])
    def test_counts_one_where_no_usable_quantity_is_told(self, quantity):
        assert read_terms(subscription_object(items=items(item_object(quantity=quantity)))).quantity == 1

    @pytest.mark.parametrize("odd", [None, [], {"data": []}, "odd"])
    def test_are_empty_without_items(self, odd):
        assert read_terms(subscription_object(items=odd)) == Terms()
