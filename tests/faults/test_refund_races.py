"""Refunds and places at the very same moment, on real connections: one refund, and nobody gets both."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.processing.drain import drain
from payments.refunds.staff_refunds import DecisionRefused, preview_refund, refund_exception, refund_order
from tests.support.refunds import LATER, ask, fake_refunds, pay
from tests.support.road import event_of, hear, keep

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run the jobs in threads that start together. Returns results, or the refusals of the desk."""
    gate = threading.Barrier(len(jobs))
    results: list[object] = [None] * len(jobs)

    def run(number: int, job: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[number] = job()
        except DecisionRefused as refusal:
            results[number] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestRefundPressedAtTheSameMoment:
    def test_is_asked_for_once(self, registration):
        order = pay(registration)
        shown = str(preview_refund(order)[0])

        results = at_once(
            *[
                lambda: refund_order(order_id=order.pk, amount=900, reason="x", by="x", shown=shown, at=LATER)
                for _ in range(8)
            ]
        )

        assert sorted(len(result) for result in results) == [0] * 7 + [1]
        assert Effect.objects.filter(kind="refund").count() == 1


class TestRefundDeliveredByManyWorkers:
    def test_is_made_once(self, make_registration):
        orders = [pay(make_registration(f"Buyer {number}")) for number in range(5)]
        for order in orders:
            ask(order)
        with fake_refunds() as stripe:
            at_once(*[lambda: deliver_due(at=LATER, limit=20) for _ in range(4)])

        assert sorted(refund["metadata"]["orderId"] for refund in stripe.refunds) == sorted(
            str(order.public_id) for order in orders
        )
        assert set(Effect.objects.filter(kind="refund").values_list("status", flat=True)) == {"DONE"}


class TestPlaceThatBecomesFreeAtTheSameMoment:
    @pytest.mark.parametrize("number", range(8))
    def test_goes_to_nobody_whose_money_leaves(self, make_activity, make_registration, number):
        tiny = make_activity(slug="tiny", capacity=1)
        late = make_registration("Late Payer", of=tiny)
        hear(event_of(late, "checkout.session.expired"))
        holder = make_registration("Alex Smith", of=tiny)
        pay(late)
        question = OrderException.objects.get()
        keep(event_of(holder, "checkout.session.expired"))

        at_once(
            lambda: refund_exception(exception=question, reason="no place", by="x", at=LATER),
            lambda: drain(at=LATER),
        )

        late.refresh_from_db()
        is_leaving = Effect.objects.filter(kind="refund").exists()
        assert late.holds_place is not is_leaving
        assert late.waits_since is None
