"""Money of a subscription's payment goes back by the same road as an order's, and ends nothing."""

from datetime import timedelta

import pytest

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.facts import DisputeFact, ObjectRefs, RefundFact
from payments.orders.models import Reference
from payments.refunds.refund import NoPaymentIntent, RefundTooLarge
from payments.refunds.staff_refunds import DecisionRefused, preview_refund, refund_subscription, why_nothing
from tests.support.fake_gateway import unavailable
from tests.support.refunds import LATER, deliver_refunds, fake_refunds
from tests.support.subscriptions import NOON, make_subscription, paid, refs, tell, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    """Two months are paid: in_1 with pi_1, then in_2 with pi_2."""
    row = make_subscription()
    for month in (1, 2):
        names = {"invoice": f"in_{month}", "payment_intent": f"pi_{month}", "charge": f"ch_{month}"}
        tell(told(), paid(refs=refs(**names), paid_at=NOON + timedelta(days=30 * month)))
    row.refresh_from_db()
    return row


def press(row, *, payment="in_2", amount=None, shown="", reason="kindness"):
    return refund_subscription(
        subscription_id=row.pk, payment=payment, amount=amount, reason=reason, by="ada", at=LATER,
        shown=shown or str(preview_refund(row)[0]),
    )  # fmt: skip


def left(row):
    return [(each.payment.key, each.amount) for each in preview_refund(row)[1]]


def is_heard(refund, status, *, at=NOON):
    """Stripe's event about a refund of the second month."""
    tell(RefundFact(ObjectRefs(payment_intent="pi_2"), refund, 400, "eur", status, at))


class TestRefundSubscription:
    def test_asks_for_one_payment_and_says_why_and_who(self, subscription):
        [key] = press(subscription, amount=150)

        effect = Effect.objects.get(key=key)
        assert (effect.subscription, effect.order) == (subscription, None)
        assert {**effect.data, "is_duplicate": None} == {
            "payment": "in_2", "amount": 150, "reason": "kindness", "by": "ada", "is_duplicate": None,
        }  # fmt: skip
        assert left(subscription) == [("in_2", 250), ("in_1", 400)]

    def test_pressed_twice_happens_once(self, subscription):
        shown = str(preview_refund(subscription)[0])

        first, second = press(subscription, shown=shown), press(subscription, shown=shown)

        assert (len(first), second) == (1, [])

    def test_is_refused_when_something_else_has_happened_since(self, subscription):
        shown = str(preview_refund(subscription)[0])
        is_heard("re_1", "succeeded")

        with pytest.raises(DecisionRefused, match="sub_1"):
            press(subscription, shown=shown)

    def test_refuses_more_than_there_is_of_this_payment(self, subscription):
        with pytest.raises(RefundTooLarge):
            press(subscription, amount=401)

    @pytest.mark.parametrize("payment", ["in_3", "pi_2"])
    def test_refuses_a_payment_that_is_not_its_own(self, subscription, payment):
        with pytest.raises(DecisionRefused, match="Nothing is left"):
            press(subscription, payment=payment)

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_needs_a_reason(self, subscription, reason):
        with pytest.raises(DecisionRefused, match="reason"):
            press(subscription, reason=reason)

    def test_leaves_out_what_came_by_another_way(self, subscription):
        Payment.objects.filter(key="in_2").update(off_stripe=400)

        assert left(subscription) == [("in_1", 400)]

    def test_changes_nothing_about_the_subscription(self, subscription):
        before = Subscription.objects.values().get()

        press(subscription)

        assert Subscription.objects.values().get() == before


class TestChargeback:
    def is_disputed(self, status):
        tell(DisputeFact(ObjectRefs(payment_intent="pi_2"), "du_1", 400, "eur", status, NOON))

    @pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
    def test_keeps_its_payment_from_being_refunded(self, subscription, status):
        self.is_disputed(status)

        assert left(subscription) == [("in_1", 400)]
        with pytest.raises(DecisionRefused):
            press(subscription)

    @pytest.mark.parametrize("status", ["won", "warning_needs_response", "warning_closed"])
    def test_that_has_taken_no_money_keeps_nothing(self, subscription, status):
        self.is_disputed(status)

        assert left(subscription) == [("in_2", 400), ("in_1", 400)]

    def test_is_given_as_the_reason_where_nothing_is_left(self, subscription):
        Payment.objects.filter(key="in_1").delete()
        self.is_disputed("needs_response")

        assert "because of a dispute" in why_nothing(subscription)
        Dispute.objects.all().delete()
        assert "because of a dispute" not in why_nothing(subscription)


class TestDelivery:
    def test_refunds_what_paid_the_invoice(self, subscription):
        press(subscription, amount=150)

        with fake_refunds() as stripe:
            assert deliver_refunds() == [("DONE", "")]

        [given] = stripe.refunds
        assert (given["payment_intent"], given["amount"]) == ("pi_2", 150)
        assert given["metadata"]["effect"] == Effect.objects.get().key
        assert Effect.objects.get().data["refund"] == given["id"]

    def test_happens_once_although_the_answer_was_lost(self, subscription):
        press(subscription, amount=150)

        with fake_refunds() as stripe:
            stripe.will(unavailable(), after_doing=True)
            deliver_refunds()
            stripe.forget_keys()
            deliver_due(at=LATER + timedelta(hours=1))

        assert len(stripe.refunds) == 1

    @pytest.mark.parametrize("names", [[], ["pi_2", "pi_3"]])
    def test_needs_a_person_where_it_is_not_clear_what_paid_the_invoice(self, subscription, names):
        Reference.objects.filter(name="pi_2").delete()
        for name in names:
            Reference.objects.create(name=name, subscription=subscription, payment="in_2")
        press(subscription)

        with fake_refunds() as stripe:
            [(_status, outcome)] = deliver_refunds()

        assert outcome.startswith(NoPaymentIntent.__name__)
        assert stripe.refunds == []


class TestRefundThatFailsLater:
    def test_restores_the_money_and_alerts(self, subscription):
        is_heard("re_1", "succeeded")
        assert left(subscription) == [("in_1", 400)]

        is_heard("re_1", "failed", at=NOON + timedelta(days=1))

        assert Refund.objects.get().status == "failed"
        assert Payment.objects.get(key="in_2").refunded == 0
        assert left(subscription) == [("in_2", 400), ("in_1", 400)]
        alert = Effect.objects.get(kind="alert.refund_failed")
        assert (alert.subscription, alert.data) == (subscription, {"refund": "re_1"})

    def test_can_be_asked_for_again(self, subscription):
        press(subscription)
        with fake_refunds():
            deliver_refunds()
        name = Effect.objects.get().data["refund"]
        is_heard(name, "succeeded")
        is_heard(name, "failed", at=NOON + timedelta(days=1))

        assert len(press(subscription)) == 1
