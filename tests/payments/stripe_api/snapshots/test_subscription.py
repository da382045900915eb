"""How a subscription is read, in any shape."""

from dataclasses import replace
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

    def test_refuses_a_status_that_nobody_knows_yet(self):
        with pytest.raises(MalformedObject, match="sub_1: status is “hibernating”"):
            StripeSubscription.read(subscription_object(status="hibernating"))

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
        assert (fact.order, fact.plan, fact.prices) == (ORDER, "monthly", ("price_monthly",))

    @pytest.mark.parametrize("metadata", [None, [], {}, {"orderId": "cart-17", "plan": 7}])
    def test_does_without_metadata_of_ours(self, metadata):
        fact = StripeSubscription.read(subscription_object(metadata=metadata)).to_fact(at=NOON)

        assert (fact.order, fact.plan, fact.refs.site) == ("", "", "")

    def test_tells_what_becomes_of_invoices_while_nothing_is_collected(self):
        paused = subscription_object(pause_collection={"behavior": "keep_as_draft", "resumes_at": unix(END)})

        fact = StripeSubscription.read(paused).to_fact(at=NOON)

        assert (fact.pause, fact.resumes_at) == ("keep_as_draft", END)

    @pytest.mark.parametrize("pause", [None, "", {}])
    def test_is_collected_otherwise(self, pause):
        fact = StripeSubscription.read(subscription_object(pause_collection=pause)).to_fact(at=NOON)

        assert (fact.pause, fact.resumes_at) == ("", None)

    @pytest.mark.parametrize("pause", [{"behavior": "hibernate"}, {"resumes_at": unix(END)}])
    def test_refuses_a_pause_that_nobody_knows_yet(self, pause):
        with pytest.raises(MalformedObject, match="behavior"):
            StripeSubscription.read(subscription_object(pause_collection=pause)).to_fact(at=NOON)

    @pytest.mark.parametrize(("method", "days"), [("send_invoice", 14), ("charge_automatically", 0)])
    def test_tells_how_long_a_sent_invoice_may_take(self, method, days):
        source = subscription_object(collection_method=method, days_until_due=14)

        assert StripeSubscription.read(source).to_fact(at=NOON).days_until_due == days


class TestReadTerms:
    def test_counts_every_item_and_names_the_first(self):
        rows = items(item_object(quantity=3), item_object(price=price_object(id="price_extra", unit_amount=50)))

        terms = read_terms(subscription_object(items=rows))

        assert replace(terms, items=()) == Terms("price_monthly", 1250, "eur", "month", 1, 3)
        assert [(item.price, item.quantity, item.period_end) for item in terms.items] == [
            ("price_monthly", 3, END),
            ("price_extra", 1, END),
        ]

    def test_adds_no_other_currency(self):
        rows = items(item_object(), item_object(price=price_object(id="price_usd", currency="usd")))

        assert read_terms(subscription_object(items=rows)).amount == 400

    def test_counts_parts_of_the_smallest_unit_together(self):
        price = price_object(unit_amount=None, unit_amount_decimal="0.5")

        assert read_terms(subscription_object(items=items(item_object(price=price, quantity=800)))).amount == 400

    def test_counts_what_is_measured_as_nothing(self):
        price = price_object(recurring={"interval": "month", "usage_type": "metered"})

        assert read_terms(subscription_object(items=items(item_object(price=price)))).amount == 0

    def test_understands_the_oldest_subscriptions_which_have_a_plan(self):
        plan = {"id": "gold", "amount": 900, "currency": "eur", "interval": "year", "interval_count": 2}

        terms = read_terms(subscription_object(items=items({"plan": plan, "quantity": 1})))

        assert replace(terms, items=()) == Terms("gold", 900, "eur", "year", 2)

    @pytest.mark.parametrize("amount", [None, True, "400", -4, 4.5, 10**20])
    def test_counts_a_price_without_a_fixed_amount_as_nothing(self, amount):
        rows = items(item_object(price=price_object(unit_amount=amount)))

        assert read_terms(subscription_object(items=rows)).amount == 0

    @pytest.mark.parametrize(("quantity", "amount"), [(0, 0), (40_000, 16_000_000), (10**9, 400 * 10**9)])
    def test_takes_every_quantity_as_it_is(self, quantity, amount):
        terms = read_terms(subscription_object(items=items(item_object(quantity=quantity))))

        assert (terms.quantity, terms.amount) == (quantity, amount)

    def test_counts_one_where_no_quantity_is_told(self):
        assert read_terms(subscription_object(items=items(item_object(quantity=None)))).quantity == 1

    @pytest.mark.parametrize("quantity", [-1, True, "3", 2**31])
    def test_refuses_a_quantity_that_it_cannot_keep(self, quantity):
        with pytest.raises(MalformedObject, match="sub_1: the quantity of its item si_1 is no number that fits"):
            read_terms(subscription_object(items=items(item_object(quantity=quantity))))

    @pytest.mark.parametrize("odd", [None, [], {"data": []}, "odd"])
    def test_are_empty_without_items(self, odd):
        assert read_terms(subscription_object(items=odd)) == Terms()
