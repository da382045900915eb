"""Refunds: asked for once in the caller's transaction, made once at Stripe, told by Stripe's events alone."""

import inspect
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from payments.billing.models import Payment
from payments.effects.deliver import BACK_OFF, LOST_AFTER, deliver_due, recover_claimed, repeatable_kinds
from payments.effects.enqueue import enqueue
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.refunds.refund import (
    NOTHING_LEFT,
    PAYMENT_GONE,
    REFUNDED_ELSEWHERE,
    RefundTooLarge,
    refund_requests,
)
from payments.statuses import EffectStatus
from payments.stripe_api import gateway as real_gateway
from payments.stripe_api.gateway import GatewayRefused
from tests.support.fake_gateway import FakeGateway, unavailable
from tests.support.refunds import LATER, ask, deliver_refunds, fake_refunds, pay
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe():
    with fake_refunds() as fake:
        yield fake


@pytest.fixture
def order(registration) -> Order:
    return pay(registration)


@pytest.fixture
def twice_paid(registration) -> Order:
    """A second payment came a minute after the first."""
    pay(registration)
    return pay(registration, payment="pi_second", at=NOON + timedelta(minutes=1))


def state(effect: Effect) -> tuple[str, str]:
    effect.refresh_from_db()
    return effect.status, effect.outcome


class TestAskRefund:
    def test_notes_one_effect_that_says_what_why_and_who(self, order):
        [effect] = ask(order, by="ada@example.com")

        payment = order.payments.get()
        assert (effect.kind, effect.order, effect.status) == ("refund", order, EffectStatus.PENDING)
        assert effect.key == f"refund:{order.public_id}:test:{payment.pk}"
        assert effect.data == {
            "payment": payment.key, "amount": None, "reason": "changed their mind", "by": "ada@example.com",
            "is_duplicate": False,
        }  # fmt: skip

    def test_asked_for_again_happens_once(self, order):
        ask(order)

        assert ask(order) == []
        assert Effect.objects.filter(kind="refund").count() == 1

    def test_writes_nothing_about_the_money(self, order):
        ask(order)

        order.refresh_from_db()
        assert (order.status, order.amount_refunded, order.refunds.count()) == ("PAID", 0, 0)

    def test_asks_every_payment_that_has_money_left(self, twice_paid):
        effects = ask(twice_paid)

        assert {effect.data["payment"] for effect in effects} == set(twice_paid.payments.values_list("key", flat=True))

    def test_asks_only_the_payment_that_is_named(self, twice_paid):
        [effect] = ask(twice_paid, payment="pi_second")

        assert effect.data["payment"] == "pi_second"

    def test_takes_a_part_from_the_latest_payment_first(self, twice_paid):
        effects = ask(twice_paid, amount=5000)

        amounts = {effect.data["payment"] == "pi_second": effect.data["amount"] for effect in effects}
        assert amounts == {True: 4900, False: 100}

    @pytest.mark.parametrize("amount", [4901, 0, -1])
    def test_refuses_an_amount_that_is_not_there(self, order, amount):
        with pytest.raises(RefundTooLarge, match=r"€49\.00 is left"):
            ask(order, amount=amount)

        assert not Effect.objects.filter(kind="refund").exists()

    def test_counts_what_was_asked_for_already(self, order):
        ask(order, amount=3000, key="first")

        with pytest.raises(RefundTooLarge, match=r"€19\.00 is left"):
            ask(order, amount=3000, key="second")

    def test_of_a_part_again_is_not_too_much(self, order):
        ask(order, amount=3000)

        assert ask(order, amount=3000) == []

    def test_knows_no_part_of_money_in_another_currency(self, order):
        order.payments.update(currency="usd")

        with pytest.raises(RefundTooLarge):
            ask(order, amount=100)
        assert len(ask(order)) == 1

    def test_asks_for_nothing_where_no_money_is(self, registration):
        assert ask(registration.order) == []

    def test_belongs_in_the_callers_transaction(self, order):
        with transaction.atomic():
            ask(order)
            transaction.set_rollback(True)

        assert not Effect.objects.filter(kind="refund").exists()

    def test_is_wanted_again_if_it_was_skipped(self, order):
        [effect] = ask(order)
        Effect.objects.filter(pk=effect.pk).update(status=EffectStatus.SKIPPED)

        assert ask(order) == [effect]


@pytest.mark.django_db(transaction=True)
class TestEnqueueOutsideATransaction:
    def test_is_refused(self, order):
        with pytest.raises(TransactionManagementError):
            enqueue(refund_requests(owner=order, reason="x", key="x", at=NOON), at=NOON)


class TestDeliverRefund:
    def test_refunds_once_under_the_effects_own_key(self, stripe, order, settings):
        [effect] = ask(order)

        assert deliver_refunds() == [(EffectStatus.DONE, "")]

        [refund] = stripe.refunds
        assert (refund["payment_intent"], refund["amount"]) == (order.payments.get().key, 4900)
        assert refund["reason"] == "requested_by_customer"
        names = {"orderId": str(order.public_id), "site": settings.SITE_NAME, "effect": effect.key}
        assert refund["metadata"] == names

    def test_keeps_which_refund_came_of_it(self, stripe, order):
        [effect] = ask(order)

        deliver_refunds()

        effect.refresh_from_db()
        assert effect.data["refund"] == "re_1"

    def test_gives_back_a_part(self, stripe, order):
        ask(order, amount=1250)

        deliver_refunds()

        assert [refund["amount"] for refund in stripe.refunds] == [1250]

    def test_says_when_a_payment_was_one_too_many(self, stripe, order):
        ask(order, is_duplicate=True)

        deliver_refunds()

        assert stripe.refunds[0]["reason"] == "duplicate"

    def test_leaves_the_state_of_the_money_to_the_events(self, stripe, registration, order):
        ask(order)

        deliver_refunds()

        order.refresh_from_db()
        assert order.status == "PAID"
        hear(event_of(registration, "refund.created"))
        order.refresh_from_db()
        assert order.status == "REFUNDED"

    def test_is_skipped_when_the_money_has_gone_back_meanwhile(self, stripe, registration, order):
        ask(order)
        hear(event_of(registration, "refund.created"))

        assert deliver_refunds() == [(EffectStatus.SKIPPED, NOTHING_LEFT.reason)]
        assert stripe.refunds == []

    def test_is_skipped_when_the_payment_is_gone(self, stripe, order):
        ask(order)
        Payment.objects.all().delete()

        assert deliver_refunds() == [(EffectStatus.SKIPPED, PAYMENT_GONE.reason)]

    def test_may_be_repeated_after_a_crash(self):
        assert "refund" in repeatable_kinds()


class TestDeliverRefundWhenStripeIsAway:
    def test_tries_again_until_it_is_back(self, stripe, order):
        stripe.will(unavailable())
        ask(order)

        [(status, outcome)] = deliver_refunds()
        assert (status, "not available" in outcome, stripe.refunds) == (EffectStatus.PENDING, True, [])

        assert deliver_refunds(at=LATER + BACK_OFF[0]) == [(EffectStatus.DONE, "")]
        assert len(stripe.refunds) == 1

    def test_makes_one_refund_though_the_answer_was_lost(self, stripe, order):
        stripe.will(unavailable(), after_doing=True)
        [effect] = ask(order)

        deliver_refunds()
        deliver_refunds(at=LATER + BACK_OFF[0])

        assert (state(effect)[0], len(stripe.refunds)) == (EffectStatus.DONE, 1)
        assert effect.data["refund"] == "re_1"

    def test_makes_one_refund_though_stripe_has_forgotten_the_key(self, stripe, order):
        stripe.will(unavailable(), after_doing=True)
        [effect] = ask(order, amount=900)
        deliver_refunds()
        stripe.forget_keys()

        deliver_refunds(at=LATER + timedelta(days=2))

        assert (state(effect)[0], [refund["amount"] for refund in stripe.refunds]) == (EffectStatus.DONE, [900])

    @pytest.mark.parametrize("heard", [False, True], ids=["its event is still out", "its event has come"])
    def test_makes_one_refund_though_the_worker_died_after_it(self, stripe, registration, order, heard):
        stripe.will(KeyboardInterrupt(), after_doing=True)
        [effect] = ask(order)
        Effect.objects.exclude(pk=effect.pk).delete()
        with pytest.raises(KeyboardInterrupt):
            deliver_due(at=LATER)
        stripe.forget_keys()
        if heard:
            hear(event_of(registration, "refund.created"))

        recover_claimed(at=LATER + LOST_AFTER)
        deliver_refunds(at=LATER + LOST_AFTER)

        assert (state(effect), len(stripe.refunds)) == ((EffectStatus.DONE, ""), 1)
        assert effect.data["refund"] == "re_1"

    def test_gives_up_in_the_end_where_staff_see_it(self, stripe, order):
        ask(order)
        at = LATER
        for pause in (*BACK_OFF, timedelta(0)):
            stripe.will(unavailable())
            [(status, outcome)] = deliver_refunds(at=at)
            at += pause

        assert (status, "not available" in outcome) == (EffectStatus.DEAD, True)


class TestDeliverRefundWhenStripeRefuses:
    def test_shows_staff_why(self, stripe, order):
        stripe.will(GatewayRefused(code="charge_disputed", message="Charge ch_1 has been charged back."))
        ask(order)

        [(status, outcome)] = deliver_refunds()

        assert (status, "has been charged back" in outcome) == (EffectStatus.PENDING, True)

    def test_is_skipped_when_somebody_has_refunded_all_of_it_at_stripe(self, stripe, order):
        stripe.money[order.payments.get().key] = 0
        ask(order)

        assert deliver_refunds() == [(EffectStatus.SKIPPED, REFUNDED_ELSEWHERE.reason)]

    def test_is_done_when_all_of_it_was_refunded_by_this_effect(self, stripe, order):
        [effect] = ask(order)
        deliver_refunds()
        stripe.forget_keys()
        Effect.objects.update(status=EffectStatus.PENDING, attempts=0)

        assert deliver_refunds() == [(EffectStatus.DONE, "")]
        assert (len(stripe.refunds), state(effect)[0]) == (1, EffectStatus.DONE)

    def test_needs_a_person_where_stripe_has_named_no_payment_intent(self, stripe, order):
        order.payments.update(key="cs_test_old")
        ask(order)

        [(_status, outcome)] = deliver_refunds()

        assert "cs_test_old is no PaymentIntent: refund it in the Stripe Dashboard" in outcome


def test_the_fake_gateway_has_the_real_ones_signatures():
    for name in ("create_refund", "list_refunds"):
        real, fake = getattr(real_gateway, name), getattr(FakeGateway(), name)

        assert inspect.signature(real) == inspect.signature(fake)
