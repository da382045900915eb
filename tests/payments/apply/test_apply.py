"""The only writer, called as resync will call it: facts without an event behind them."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import translation

from payments.apply.apply import apply, follow_orders_again, save_exceptions
from payments.apply.batch import FactSet
from payments.effects.models import Effect
from payments.facts import ObjectRefs, OrderFact, PaymentFact
from payments.orders.fold import OTHER_AMOUNT
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.products import Question, sum_of
from payments.statuses import ExceptionKind, OrderStatus
from registrations.models import Registration
from tests.support.road import NOON

pytestmark = pytest.mark.django_db


def paid(registration: Registration, **names: Any) -> FactSet:
    refs = ObjectRefs(order=str(registration.order.public_id), **names)
    fact = PaymentFact(refs, received=4900, currency="eur", occurred_at=NOON)
    return FactSet(facts=[fact], source="a person", occurred_at=NOON)


class TestApply:
    def test_writes_state_history_and_effects_together(self, registration):
        report = apply([paid(registration, payment_intent="pi_1")], at=NOON)

        assert [each.order_id for each in report.applied] == [registration.order_id]
        assert Order.objects.get().status == OrderStatus.PAID
        assert OrderChange.objects.filter(source="a person", field="status", event=None).count() == 1
        assert Effect.objects.get().kind == "registration.confirmed"

    def test_leaves_nothing_behind_when_it_is_rolled_back_and_tells_all_the_same(self, registration):
        with transaction.atomic():
            report = apply([paid(registration, payment_intent="pi_1")], at=NOON)
            transaction.set_rollback(True)

        assert ("status", "PENDING", "PAID") in report.applied[0].folded.changes
        assert Order.objects.get().status == OrderStatus.PENDING
        assert not Effect.objects.exists()

    def test_learns_every_name_that_comes_with_a_known_one(self, registration):
        report = apply([paid(registration, session="cs_1", payment_intent="pi_1", charge="ch_1")], at=NOON)

        assert report.new_references == {"cs_1", "pi_1", "ch_1"}
        assert Reference.objects.get(name="ch_1").payment == "pi_1"
        assert CheckoutAttempt.objects.get().session == "cs_1"

    def test_changes_nothing_the_second_time(self, registration):
        apply([paid(registration, payment_intent="pi_1")], at=NOON)

        report = apply([paid(registration, payment_intent="pi_1")], at=NOON)

        assert (report.applied[0].folded.changes, report.new_references) == ([], set())
        assert Effect.objects.count() == 1

    def test_ignores_what_names_nothing_known(self, registration):
        fact = OrderFact(ObjectRefs(payment_intent="pi_x"), OrderStatus.FAILED, NOON)

        report = apply([FactSet(facts=[fact], source="a person", occurred_at=NOON)], at=NOON)

        assert (report.applied[0].order_id, report.applied[0].reason) == (None, "unmatched")


class TestFollowAgain:
    def test_brings_a_product_back_in_line_with_its_order(self, registration):
        apply([paid(registration, payment_intent="pi_1")], at=NOON)
        Registration.objects.update(status="PENDING")

        follow_orders_again([registration.order_id], source="a repair", at=NOON)

        assert Registration.objects.get().status == "PAID"
        assert Effect.objects.count() == 1


class TestSaveExceptions:
    def ask(self, *, is_open: bool = True, received: int = 100) -> OrderException:
        values = {"received": sum_of(received, "usd"), "due": sum_of(4900, "eur")}
        question = Question(ExceptionKind.AMOUNT_MISMATCH, "pi_1", None, is_open, OTHER_AMOUNT, values)
        save_exceptions([question], at=NOON)
        return OrderException.objects.get()

    def test_keeps_what_it_speaks_of_in_the_language_of_whoever_reads(self):
        with translation.override("fr"):
            asked = self.ask()

        assert asked.detail_text.replace("\N{NO-BREAK SPACE}", " ") == "$1.00, expected €49.00"
        with translation.override("fr"):
            assert asked.detail_text.replace("\N{NO-BREAK SPACE}", " ") == "1,00 $US au lieu de 49,00 €"

    def test_tells_an_open_question_as_it_stands_now(self):
        self.ask()

        assert self.ask(received=200).values["received"] == {"amount": 200, "currency": "usd"}

    def test_leaves_a_closed_question_as_it_was(self):
        self.ask()
        self.ask(is_open=False)

        closed = self.ask(is_open=False, received=200)

        assert (closed.is_open, closed.values["received"]["amount"]) == (False, 100)

    def test_takes_a_name_with_a_percent_sign(self):
        save_exceptions([Question(ExceptionKind.NO_PLACE, "order:1", None, True, "100 % Ada <a@example.com>")], at=NOON)

        assert OrderException.objects.get().detail_text == "100 % Ada <a@example.com>"
