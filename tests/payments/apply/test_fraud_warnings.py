"""A card network warns of fraud: staff are asked and told once, until the money has gone back or is disputed."""

from itertools import permutations

import pytest

from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.facts import FraudWarningFact, ObjectRefs
from payments.orders.models import OrderChange, OrderException
from payments.refunds.staff_refunds import refund_exception
from payments.samples.story import SHAPES
from payments.statuses import EventStatus, ExceptionKind
from tests.support.refunds import LATER
from tests.support.road import NOON, event_of, hear
from tests.support.subscriptions import make_subscription, paid, refs, tell, told

pytestmark = pytest.mark.django_db

PAID, WARNED = "checkout.session.completed", "radar.early_fraud_warning.created"
SETTLED, DISPUTED = "radar.early_fraud_warning.updated", "charge.dispute.created"
# The refund names the charge, which the session's event does not: the PaymentIntent's does.
INTENT = "payment_intent.succeeded"


def question() -> OrderException:
    return OrderException.objects.get(kind=ExceptionKind.FRAUD_WARNING)


def alerts() -> list[str]:
    return list(Effect.objects.filter(kind="alert.fraud_warning").values_list("key", flat=True))


def event(registration, event_type, **more):
    return event_of(registration, event_type, **more)


class TestOfAnOrder:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_is_kept_asked_about_and_told_once(self, registration, shape):
        hear(event(registration, PAID))

        warnings = [event(registration, WARNED, shape=shape) for _ in range(2)]
        rows = hear(*warnings)

        payment = Payment.objects.get()
        assert {row.status for row in rows} == {EventStatus.PROCESSED}
        assert (payment.fraud_type, payment.is_fraud_actionable) == ("made_with_stolen_card", True)
        assert (question().is_open, question().order, question().subject) == (True, registration.order, payment.key)
        assert alerts() == [f"alert.fraud_warning:{payment.key}"]
        assert OrderChange.objects.filter(order=registration.order, field__startswith="fraud issfr_").count() == 1

    def test_waits_for_the_payment_that_it_names(self, registration):
        [row] = hear(event(registration, WARNED))

        hear(event(registration, PAID))

        row.refresh_from_db()
        assert row.status == EventStatus.PROCESSED
        assert question().is_open

    @pytest.mark.parametrize("end", [SETTLED, DISPUTED, "charge.refunded"])
    def test_closes_by_itself_in_every_order(self, registration, end):
        hear(event(registration, PAID), event(registration, INTENT))
        hear(event(registration, WARNED))
        assert question().is_open

        hear(event(registration, end, at=NOON.replace(minute=5)))

        assert not question().is_open

    @pytest.mark.parametrize("heard", list(permutations([WARNED, SETTLED, PAID])))
    def test_asks_nobody_once_it_is_settled_whatever_comes_first(self, registration, heard):
        for event_type in heard:
            hear(event(registration, event_type))

        assert not OrderException.objects.filter(kind=ExceptionKind.FRAUD_WARNING, is_open=True).exists()
        assert not Payment.objects.get().is_fraud_actionable

    def test_stays_open_after_a_part_has_gone_back(self, registration):
        hear(event(registration, PAID), event(registration, WARNED))

        hear(event(registration, "refund.created", amount=900))

        assert question().is_open

    def test_opens_again_when_the_refund_fails(self, registration):
        hear(event(registration, PAID), event(registration, WARNED))
        hear(event(registration, "refund.created"))
        assert not question().is_open

        hear(event(registration, "refund.failed", at=NOON.replace(minute=5)))

        assert question().is_open
        assert len(alerts()) == 1

    def test_is_refunded_from_the_desk(self, registration):
        hear(event(registration, PAID), event(registration, WARNED))

        keys = refund_exception(exception=question(), reason="fraud", by="ada@example.com", at=LATER)

        assert len(keys) == 1
        assert Effect.objects.get(kind="refund").order == registration.order


class TestOfASubscription:
    def test_is_kept_at_its_payment_and_asked_about(self):
        make_subscription()
        tell(told(), paid(refs=refs(invoice="in_1", payment_intent="pi_1", charge="ch_1")))

        tell(FraudWarningFact(ObjectRefs(payment_intent="pi_1", charge="ch_1"), "issfr_1", "misc", True, NOON))

        payment = Payment.objects.get(key="in_1")
        assert (payment.fraud_warning, payment.fraud_type) == ("issfr_1", "misc")
        assert (question().is_open, question().subject) == (True, "in_1")
        assert Effect.objects.get(kind="alert.fraud_warning").subscription == payment.subscription
