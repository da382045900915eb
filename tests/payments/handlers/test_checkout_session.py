"""What the events of a Checkout session say."""

import pytest

from payments.facts import (
    BuyerAddressFact,
    CustomerFact,
    NoFacts,
    ObjectRefs,
    OrderFact,
    PaymentFact,
    SubscriptionStartedFact,
)
from payments.statuses import OrderStatus
from payments.stripe_api.snapshots import MalformedObject, StripeCheckoutSession
from tests.support.stripe_objects import NOON, ORDER, intent_object, session_object, told_by

COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
ABOUT = StripeCheckoutSession.read(session_object()).refs


class TestCompleted:
    @pytest.mark.parametrize("payment_intent", ["pi_1", {"id": "pi_1", "object": "payment_intent"}])
    def test_tells_of_the_money_when_it_is_paid(self, payment_intent):
        facts = told_by(COMPLETED, session_object(payment_intent=payment_intent))

        assert facts == [PaymentFact(ABOUT, received=4900, currency="eur", occurred_at=NOON)]

    def test_settles_without_money_what_costs_nothing(self):
        free = session_object(payment_status="no_payment_required", payment_intent=None, amount_total=0)

        [fact] = told_by(COMPLETED, free)

        assert isinstance(fact, OrderFact)
        assert (fact.status, fact.by_subscription) == (OrderStatus.PAID, False)

    def test_waits_for_a_delayed_method(self):
        facts = told_by(COMPLETED, session_object(payment_status="unpaid"))

        assert facts == [OrderFact(ABOUT, OrderStatus.PROCESSING, NOON)]

    @pytest.mark.parametrize("payment_status", ["paid", "no_payment_required"])
    def test_leaves_the_money_of_a_subscription_to_its_invoices(self, payment_status):
        begun = session_object(mode="subscription", payment_status=payment_status)

        assert told_by(COMPLETED, begun) == [OrderFact(ABOUT, OrderStatus.PAID, NOON, by_subscription=True)]

    def test_waits_for_a_subscription_that_is_not_paid_yet(self):
        [fact] = told_by(COMPLETED, session_object(mode="subscription", payment_status="unpaid"))

        assert isinstance(fact, OrderFact)
        assert fact.status == OrderStatus.PROCESSING

    def test_pays_nothing_in_setup_mode(self):
        setup = session_object(mode="setup", payment_status="no_payment_required", amount_total=None)

        assert told_by(COMPLETED, setup) == [NoFacts("a session in setup mode pays nothing")]

    @pytest.mark.parametrize("payment_status", [None, "", 7, "half_paid"])
    def test_never_guesses_whether_money_came(self, payment_status):
        with pytest.raises(MalformedObject, match="cs_test_1: its payment_status is"):
            told_by(COMPLETED, session_object(payment_status=payment_status))

    @pytest.mark.parametrize("name", ["mode", "status", "payment_status"])
    def test_never_guesses_what_a_new_word_means(self, name):
        with pytest.raises(MalformedObject, match=f"cs_test_1: its {name} is “sorcery”, which is unknown to us"):
            told_by(COMPLETED, session_object(**{name: "sorcery"}))

    def test_does_not_repeat_what_may_be_personal(self):
        with pytest.raises(MalformedObject, match="its mode is something that is unknown to us"):
            told_by(COMPLETED, session_object(mode="Ada Lovelace"))

    def test_counts_what_was_taken_of_what_was_held(self):
        intent = intent_object(amount=4900, amount_received=3000)

        facts = told_by(COMPLETED, session_object(payment_intent=intent))

        assert [fact.received for fact in facts if isinstance(fact, PaymentFact)] == [3000]

    @pytest.mark.parametrize("odd", [{"amount_total": None}, {"amount_total": "4900"}, {"currency": None}])
    def test_refuses_money_without_an_amount(self, odd):
        with pytest.raises(MalformedObject):
            told_by(COMPLETED, session_object(**odd))


class TestCompletedTellsOfTheBuyer:
    details = {
        "email": "Ada@Example.com",
        "name": "Ada Lovelace",
        "address": {"city": "Lyon", "country": "FR", "line1": "1 rue de la Paix"},
    }
    begun = {"mode": "subscription", "subscription": "sub_1", "invoice": "in_1", "customer": "cus_1"}

    def test_where_they_live(self):
        _paid, where = told_by(COMPLETED, session_object(customer_details=self.details))

        assert where == BuyerAddressFact(ABOUT, "Lyon", "FR", NOON)

    @pytest.mark.parametrize("details", [None, {}, {"address": None}, {"address": {"city": None, "country": 7}}])
    def test_nothing_where_no_place_is_told(self, details):
        assert len(told_by(COMPLETED, session_object(customer_details=details))) == 1

    @pytest.mark.parametrize("payment_status", ["paid", "unpaid", "no_payment_required"])
    def test_what_they_have_subscribed_to_paid_or_not(self, payment_status):
        facts = told_by(COMPLETED, session_object(**self.begun, payment_status=payment_status))

        names = ObjectRefs(subscription="sub_1", invoice="in_1", customer="cus_1", site="payments")
        assert facts[1] == SubscriptionStartedFact(names, order=ORDER, occurred_at=NOON)

    def test_what_they_have_subscribed_to_when_stripe_sends_the_whole_of_it(self):
        whole = {"subscription": {"id": "sub_1"}, "invoice": {"id": "in_1"}, "customer": {"id": "cus_1"}}

        assert told_by(COMPLETED, session_object(**self.begun | whole)) == told_by(
            COMPLETED, session_object(**self.begun)
        )

    def test_where_they_live_as_a_customer(self):
        *_, who = told_by(COMPLETED, session_object(**self.begun, customer_details=self.details))

        assert who == CustomerFact(ObjectRefs(customer="cus_1"), NOON, city="Lyon", country="FR")

    def test_no_customer_where_nobody_knows_where_they_live(self):
        facts = told_by(COMPLETED, session_object(**self.begun, customer_details={"name": "Ada Lovelace"}))

        assert not any(isinstance(fact, CustomerFact) for fact in facts)

    def test_nothing_about_a_subscription_that_is_not_named(self):
        facts = told_by(COMPLETED, session_object(**self.begun | {"subscription": None}))

        assert not any(isinstance(fact, SubscriptionStartedFact) for fact in facts)


class TestAsyncPaymentSucceeded:
    def test_tells_of_the_money(self):
        facts = told_by(SUCCEEDED, session_object())

        assert facts == [PaymentFact(ABOUT, received=4900, currency="eur", occurred_at=NOON)]

    def test_says_nothing_when_the_session_is_not_paid(self):
        assert told_by(SUCCEEDED, session_object(payment_status="unpaid")) == [NoFacts("the session is not paid")]


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("checkout.session.async_payment_failed", OrderStatus.FAILED),
        ("checkout.session.expired", OrderStatus.EXPIRED),
    ],
)
class TestEndWithoutMoney:
    def test_tells_the_status(self, event_type, status):
        facts = told_by(event_type, session_object(payment_status="unpaid"))

        assert facts == [OrderFact(ABOUT, status, NOON)]

    def test_needs_no_amount(self, event_type, status):
        [fact] = told_by(event_type, session_object(amount_total=None, currency=None, payment_intent=None))

        assert isinstance(fact, OrderFact)
        assert fact.refs.names()[0] == "cs_test_1"
