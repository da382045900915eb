"""What staff decide about somebody's subscription, with a Stripe that answers."""

from datetime import UTC, datetime

import pytest

from payments.billing.models import Payment, Subscription
from payments.billing.subscribers import gives_access
from payments.effects.models import Effect
from payments.orders.models import OrderChange, OrderException
from payments.refunds.staff_refunds import DecisionRefused, refund_exception
from payments.statuses import ExceptionKind
from payments.stripe_api.gateway import GatewayUnavailable
from payments.subscribing import cancel_now, give_access_back
from tests.support.factories import UserFactory
from tests.support.resync import heard
from tests.support.subscriber import unreachable


def now():
    return datetime.now(UTC)


def refund_whole(stripe_api):
    [intent] = stripe_api.payment_intents.list().data
    stripe_api.refunds.create({"payment_intent": intent.id})
    heard()


@pytest.fixture
def refunded(subscribed, stripe_api):
    """All of the running period went back."""
    refund_whole(stripe_api)
    return Subscription.objects.get()


@pytest.fixture
def staff():
    return UserFactory.create(email="staff@example.com", is_staff=True)


def questions(**which):
    return list(OrderException.objects.filter(**which).values_list("kind", flat=True))


class TestRefundOfARunningPeriod:
    def test_ends_the_access_tells_why_and_asks_staff(self, refunded):
        assert refunded.money_back == "refunded"
        assert not gives_access(refunded, at=now())
        assert questions(is_open=True) == [ExceptionKind.PERIOD_REFUNDED]
        assert Effect.objects.filter(kind="subscription.access_ended", subscription=refunded).count() == 1


class TestCancelNow:
    def test_ends_it_at_stripe_and_closes_the_question(self, refunded, stripe_api):
        cancel_now(subscription=refunded, reason="was refunded", by="staff@example.com", at=now())

        refunded.refresh_from_db()
        assert refunded.status == "canceled"
        assert stripe_api.subscriptions.retrieve(refunded.stripe_id).status == "canceled"
        assert questions(is_open=True) == []
        assert OrderChange.objects.filter(field="status", source="staff@example.com: was refunded").exists()

    def test_ends_its_access(self, subscribed):
        row = Subscription.objects.get()

        cancel_now(subscription=row, reason="asked for it", by="staff", at=now())

        row.refresh_from_db()
        assert not gives_access(row, at=now())

    def test_hears_of_an_end_that_was_not_heard_of(self, subscribed, stripe_api):
        stripe_api.subscriptions.cancel(subscribed)

        cancel_now(subscription=Subscription.objects.get(), reason="again", by="staff", at=now())

        assert Subscription.objects.get().status == "canceled"

    def test_is_refused_with_stripes_words(self, subscribed):
        Subscription.objects.update(stripe_id="sub_gone")

        with pytest.raises(DecisionRefused, match="Stripe has refused"):
            cancel_now(subscription=Subscription.objects.get(), reason="gone", by="staff", at=now())

    def test_changes_nothing_while_stripe_is_away(self, subscribed, monkeypatch):
        with unreachable(monkeypatch), pytest.raises(GatewayUnavailable):
            cancel_now(subscription=Subscription.objects.get(), reason="now", by="staff", at=now())

        assert Subscription.objects.get().status == "active"

    def test_needs_a_reason(self, subscribed):
        with pytest.raises(DecisionRefused):
            cancel_now(subscription=Subscription.objects.get(), reason=" ", by="staff", at=now())


class TestGiveAccessBack:
    def test_opens_the_period_again_and_settles_the_question(self, refunded, staff):
        give_access_back(subscription=refunded, reason="goodwill", by=staff, at=now())

        refunded.refresh_from_db()
        assert (refunded.money_back, gives_access(refunded, at=now())) == ("", True)
        [question] = OrderException.objects.all()
        assert (question.is_open, question.closed_by, question.closed_reason) == (False, staff, "goodwill")

    def test_stays_so_whatever_is_heard_of_that_payment(self, refunded, staff):
        give_access_back(subscription=refunded, reason="goodwill", by=staff, at=now())
        Payment.objects.update(refunded=0, charge_refunded=0)
        heard()

        assert Subscription.objects.get().money_back == ""

    def test_is_refused_where_nothing_went_back(self, subscribed, staff):
        with pytest.raises(DecisionRefused):
            give_access_back(subscription=Subscription.objects.get(), reason="goodwill", by=staff, at=now())


class TestRefundOfAQuestion:
    def test_gives_back_the_payment_that_it_is_about(self, subscribed):
        row = Subscription.objects.get()
        payment = row.payments.get()
        question = OrderException.objects.create(
            kind=ExceptionKind.SECOND_PAYMENT, subject=payment.key, subscription=row, opened_at=now()
        )

        refund_exception(exception=question, reason="paid twice", by="staff", at=now())

        [effect] = Effect.objects.filter(kind="refund")
        assert (effect.subscription, effect.data["payment"]) == (row, payment.key)
        assert effect.data["is_duplicate"] is True
