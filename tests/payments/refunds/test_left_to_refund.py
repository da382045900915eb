"""What is still there to give back, and whose money is leaving."""

from datetime import timedelta

import pytest

from payments.effects.models import Effect
from payments.refunds.refund import going_back, is_under_way, left_to_refund
from payments.statuses import EffectStatus
from tests.support.refunds import ask, deliver_refunds, fake_refunds, pay
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(registration):
    return pay(registration)


def left(order):
    return [(each.payment.key, each.amount) for each in left_to_refund(order)]


def amounts(order):
    return [amount for _, amount in left(order)]


class TestLeftToRefund:
    def test_is_nothing_before_money_came(self, registration):
        assert left(registration.order) == []

    def test_names_the_latest_payment_first(self, registration, order):
        pay(registration, payment="pi_second", at=NOON + timedelta(minutes=1))

        assert left(order) == [("pi_second", 4900), (order.payments.order_by("pk")[0].key, 4900)]

    def test_is_less_what_was_asked_for(self, order):
        ask(order, amount=900)

        assert amounts(order) == [4000]

    def test_is_less_what_went_back_however_that_came(self, registration, order):
        hear(event_of(registration, "refund.created", amount=900))

        assert amounts(order) == [4000]

    def test_counts_a_refund_once_when_its_event_has_come(self, registration, order):
        with fake_refunds():
            [effect] = ask(order, amount=900)
            deliver_refunds()
        assert amounts(order) == [4000]

        event = event_of(registration, "refund.created", amount=900)
        hear(event)
        Effect.objects.filter(pk=effect.pk).update(data={**effect.data, "refund": event["data"]["object"]["id"]})

        assert amounts(order) == [4000]

    @pytest.mark.parametrize(("status", "is_free"), [("DEAD", True), ("SKIPPED", True), ("CLAIMED", False)])
    def test_forgets_what_will_not_happen(self, order, status, is_free):
        ask(order)
        Effect.objects.filter(kind="refund").update(status=status)

        assert amounts(order) == ([4900] if is_free else [])


class TestGoingBack:
    def test_are_orders_of_which_everything_was_asked_back(self, order):
        assert going_back([order.pk]) == set()

        ask(order)

        assert going_back([order.pk]) == {order.pk}
        assert going_back([]) == set()

    def test_are_not_those_that_keep_a_part(self, order):
        ask(order, amount=4899)

        assert going_back([order.pk]) == set()

    def test_are_those_whose_parts_are_everything(self, order):
        ask(order, amount=4000, key="first")
        ask(order, amount=900, key="second")

        assert going_back([order.pk]) == {order.pk}

    def test_are_not_those_with_another_payment(self, registration, order):
        ask(order)
        pay(registration, payment="pi_second")

        assert going_back([order.pk]) == set()

    @pytest.mark.parametrize(("status", "goes"), [("DEAD", True), ("SKIPPED", False), ("DONE", True)])
    def test_are_those_that_only_a_person_can_hold_back(self, order, status, goes):
        ask(order)
        Effect.objects.filter(kind="refund").update(status=status)

        assert going_back([order.pk]) == ({order.pk} if goes else set())

    def test_are_not_those_whose_refund_has_failed_at_the_bank(self, registration, order):
        [effect] = ask(order)
        event = event_of(registration, "refund.failed", status="failed")
        hear(event)
        done = {"status": EffectStatus.DONE, "data": {**effect.data, "refund": event["data"]["object"]["id"]}}
        Effect.objects.filter(pk=effect.pk).update(**done)

        assert going_back([order.pk]) == set()


class TestIsUnderWay:
    def test_until_stripe_has_told_of_it_or_it_was_given_up(self, order):
        assert not is_under_way(order)

        ask(order, amount=1)
        assert is_under_way(order)

        Effect.objects.filter(kind="refund").update(status=EffectStatus.DEAD)
        assert not is_under_way(order)
