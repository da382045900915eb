"""What the facts about a subscription do to it, its money and its history."""

from datetime import timedelta

import pytest

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.effects.models import Effect
from payments.facts import (
    DisputeFact,
    InvoicePaymentFact,
    ObjectRefs,
    PaymentFact,
    RefundFact,
    SubscriptionNoticeFact,
    SubscriptionStartedFact,
)
from payments.orders.models import OrderChange
from tests.support.factories import OrderFactory
from tests.support.subscriptions import (
    BEGIN,
    END,
    NOON,
    make_customer,
    make_plan,
    make_subscription,
    paid,
    refs,
    tell,
    told,
)

pytestmark = pytest.mark.django_db

BILLED = refs(invoice="in_1")
INTENT = ObjectRefs(payment_intent="pi_1", charge="ch_1")


@pytest.fixture(autouse=True)
def plan():
    return make_plan()


@pytest.fixture
def subscription():
    return make_subscription()


@pytest.fixture
def paid_subscription(subscription):
    """One of which invoice, PaymentIntent and charge are known."""
    tell(told())
    tell(paid())
    tell(InvoicePaymentFact(ObjectRefs(invoice="in_1", payment_intent="pi_1"), NOON))
    tell(PaymentFact(INTENT, received=400, currency="eur", occurred_at=BEGIN))
    return subscription


def history():
    return list(OrderChange.objects.order_by("pk").values_list("field", "before", "after"))


class TestSubscriptionFact:
    def test_is_taken_whole_with_its_plan_and_customer(self, subscription, plan):
        tell(told())

        row = Subscription.objects.get()
        assert (row.status, row.plan, row.period_end, row.needs_resync) == ("active", plan, END, False)
        assert row.customer.stripe_id == "cus_1"

    def test_finds_the_order_that_began_it(self, subscription):
        order = OrderFactory(kind="plan")

        tell(told(order=str(order.public_id)))

        assert Subscription.objects.get().order == order

    def test_keeps_its_order_and_customer_for_good(self, subscription):
        first, second = OrderFactory(kind="plan"), OrderFactory(kind="plan")
        make_customer("cus_2")
        tell(told(order=str(first.public_id)))

        tell(told(refs=refs(customer="cus_2"), order=str(second.public_id), occurred_at=NOON + timedelta(seconds=1)))

        row = Subscription.objects.get()
        assert (row.order, row.customer.stripe_id) == (first, "cus_1")

    def test_leaves_a_history(self, subscription):
        tell(told(status="trialing", period_end=None))
        tell(told(period_end=None, occurred_at=NOON + timedelta(seconds=1)))

        assert ("status", "", "trialing") in history()
        assert history()[-1] == ("status", "trialing", "active")

    def test_changes_nothing_the_second_time(self, subscription):
        tell(told())

        report = tell(told())

        assert (report.applied[0].folded.changes, report.new_references) == ([], set())


class TestBeganFact:
    def test_tells_whose_it_is_and_which_order_began_it_but_nothing_of_its_state(self, subscription):
        order = OrderFactory(kind="plan")

        tell(SubscriptionStartedFact(BILLED, order=str(order.public_id), occurred_at=NOON))

        row = Subscription.objects.get()
        assert (row.order, row.customer.stripe_id, row.status, row.needs_resync) == (order, "cus_1", "", True)


class TestInvoiceFact:
    def test_makes_one_payment_whatever_else_tells_of_it(self, paid_subscription):
        tell(paid(refs=refs(invoice="in_1", payment_intent="pi_1", charge="ch_1")))

        row = Payment.objects.get()
        assert (row.key, row.received, row.charge, row.paid_at) == ("in_1", 400, "ch_1", BEGIN)
        assert (row.order, row.subscription) == (None, paid_subscription)

    def test_makes_one_payment_when_the_money_was_told_of_first(self, subscription):
        about_it = refs(invoice="in_1", payment_intent="pi_1")
        tell(PaymentFact(about_it, received=400, currency="eur", occurred_at=BEGIN))

        tell(paid())

        assert list(Payment.objects.values_list("key", "received")) == [("in_1", 400)]

    def test_tells_whose_it_is(self, subscription):
        tell(paid())

        assert Subscription.objects.get().customer.stripe_id == "cus_1"

    def test_tells_until_when_it_is_paid(self, paid_subscription):
        assert Subscription.objects.get().paid_until == END

    @pytest.mark.parametrize("nothing", [{"received": 0}, {"paid_at": None, "received": 0}], ids=["free", "unpaid"])
    def test_makes_no_payment_of_nothing(self, subscription, nothing):
        tell(paid(**nothing))

        assert not Payment.objects.exists()

    def test_marks_what_came_by_another_way(self, subscription):
        tell(paid(off_stripe=400))

        assert Payment.objects.get().off_stripe == 400

    def test_never_moves_the_status(self, subscription):
        tell(told(status="past_due"))

        tell(paid(occurred_at=NOON + timedelta(days=1)))

        assert Subscription.objects.get().status == "past_due"

    def test_leaves_the_money_in_the_history(self, paid_subscription):
        assert ("paid in_1", "", "400") in history()


class TestRefundFact:
    def refund(self, **names):
        return RefundFact(ObjectRefs(**names), "re_1", 150, "eur", "succeeded", NOON)

    @pytest.mark.parametrize("names", [{"payment_intent": "pi_1"}, {"charge": "ch_1"}])
    def test_gives_back_from_the_invoice_behind_it(self, paid_subscription, names):
        tell(self.refund(**names))

        assert Refund.objects.get().payment == "in_1"
        assert Payment.objects.get().refunded == 150
        assert ("refunded in_1", "", "150") in history()

    def test_waits_for_its_money_when_it_is_heard_first(self, subscription):
        tell(paid(paid_at=None, received=0))
        tell(InvoicePaymentFact(ObjectRefs(invoice="in_1", payment_intent="pi_1"), NOON))
        tell(self.refund(payment_intent="pi_1"))

        tell(paid())

        assert list(Payment.objects.values_list("key", "received", "refunded")) == [("in_1", 400, 150)]


class TestDisputeFact:
    def test_is_kept_and_ends_nothing_by_itself(self, paid_subscription):
        tell(DisputeFact(ObjectRefs(charge="ch_1"), "du_1", 400, "eur", "lost", NOON))

        assert Dispute.objects.get().payment == "in_1"
        assert Subscription.objects.get().status == "active"
        assert Effect.objects.filter(kind="alert.dispute_closed").count() == 1


class TestAppealFact:
    @pytest.mark.parametrize("kind", ["payment_failed", "action_required"])
    def test_asks_once_for_each_invoice_however_often_stripe_tries(self, subscription, kind):
        for number in range(3):
            tell(SubscriptionNoticeFact(BILLED, kind, NOON + timedelta(days=number), next_try_at=END))

        effect = Effect.objects.get()
        assert (effect.key, effect.kind) == (f"subscription.{kind}:in_1", f"subscription.{kind}")
        assert (effect.data["subscription"], effect.data["next_try_at"]) == ("sub_1", END.isoformat())

    def test_asks_again_for_another_invoice(self, subscription):
        tell(SubscriptionNoticeFact(BILLED, "payment_failed", NOON))
        tell(SubscriptionNoticeFact(refs(invoice="in_2"), "payment_failed", NOON))

        assert Effect.objects.count() == 2

    def test_tells_the_end_of_a_trial_of_the_subscription(self, subscription):
        tell(SubscriptionNoticeFact(refs(), "trial_will_end", NOON))

        assert Effect.objects.get().key == "subscription.trial_will_end:sub_1"

    def test_tells_staff_what_could_not_be_finalized(self, subscription):
        tell(SubscriptionNoticeFact(BILLED, "finalization_failed", NOON, reason="tax_broke"))

        assert (Effect.objects.get().kind, Effect.objects.get().data["reason"]) == (
            "alert.finalization_failed",
            "tax_broke",
        )

    def test_moves_nothing(self, subscription):
        tell(told())

        report = tell(SubscriptionNoticeFact(BILLED, "payment_failed", NOON))

        assert report.applied[0].folded.changes == []
