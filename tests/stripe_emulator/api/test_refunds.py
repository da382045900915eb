"""Refunds through the official client."""

import pytest

from stripe_emulator import timers
from stripe_emulator.models import Event, StoredObject
from tests.support.emulated_payments import SEPA_SUCCEEDS, debit, event_types, pay
from tests.support.emulator import refusal_of


@pytest.fixture
def paid_intent(stripe_api):
    """49 € that have arrived."""
    return pay(stripe_api)


class TestCreate:
    def test_gives_everything_back(self, stripe_api, paid_intent):
        refund = stripe_api.refunds.create({"payment_intent": paid_intent.id, "metadata": {"why": "ill"}})

        charge = stripe_api.charges.retrieve(paid_intent.latest_charge)
        assert (refund.status, refund.amount, refund.charge) == ("succeeded", 4900, charge.id)
        assert refund.metadata["why"] == "ill"
        assert (charge.refunded, charge.amount_refunded) == (True, 4900)
        assert event_types()[-2:] == ["refund.created", "charge.refunded"]

    def test_gives_parts_back_until_nothing_is_left(self, stripe_api, paid_intent):
        params = {"payment_intent": paid_intent.id, "amount": 1000, "reason": "requested_by_customer"}
        stripe_api.refunds.create(params)

        second = stripe_api.refunds.create({"charge": paid_intent.latest_charge})

        charges = [event.object for event in Event.objects.filter(type="charge.refunded").order_by("number")]
        assert second.amount == 3900
        assert [(charge["amount_refunded"], charge["refunded"]) for charge in charges] == [(1000, False), (4900, True)]

    def test_takes_the_money_from_the_balance(self, stripe_api, paid_intent):
        refund = stripe_api.refunds.create({"payment_intent": paid_intent.id})

        moved = stripe_api.balance_transactions.retrieve(refund.balance_transaction)
        assert (moved.type, moved.amount, moved.fee, moved.source) == ("refund", -4900, 0, refund.id)

    def test_refuses_more_than_is_left(self, stripe_api, paid_intent):
        stripe_api.refunds.create({"payment_intent": paid_intent.id, "amount": 4000})

        refusal = refusal_of(stripe_api.refunds.create, {"payment_intent": paid_intent.id, "amount": 1000})

        assert refusal.param == "amount"
        assert "(€10.00) is greater than unrefunded amount on charge (€9.00)" in refusal.user_message
        assert stripe_api.charges.retrieve(paid_intent.latest_charge).amount_refunded == 4000

    def test_refuses_what_was_given_back_already(self, stripe_api, paid_intent):
        stripe_api.refunds.create({"payment_intent": paid_intent.id})

        refusal = refusal_of(stripe_api.refunds.create, {"payment_intent": paid_intent.id})

        assert refusal.code == "charge_already_refunded"

    def test_refuses_a_part_that_no_bank_can_move(self, stripe_api):
        intent = pay(stripe_api, amount=5120, currency="kwd")

        refusal = refusal_of(stripe_api.refunds.create, {"payment_intent": intent.id, "amount": 1234})

        assert (refusal.code, refusal.param) == ("parameter_invalid_integer", "amount")

    @pytest.mark.parametrize("amount", [0, -1, "half"])
    def test_refuses_what_is_no_amount(self, stripe_api, paid_intent, amount):
        refusal = refusal_of(stripe_api.refunds.create, {"payment_intent": paid_intent.id, "amount": amount})

        assert (refusal.code, refusal.param) == ("parameter_invalid_integer", "amount")

    def test_refuses_without_something_to_refund(self, stripe_api, paid_intent):
        both = {"payment_intent": paid_intent.id, "charge": paid_intent.latest_charge}
        open_intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})

        assert refusal_of(stripe_api.refunds.create, {}).code == "parameter_missing"
        assert refusal_of(stripe_api.refunds.create, both).code == "parameter_missing"
        assert refusal_of(stripe_api.refunds.create, {"charge": "ch_nobody"}).code == "resource_missing"
        assert refusal_of(stripe_api.refunds.create, {"payment_intent": open_intent.id}).param == "payment_intent"

    def test_refuses_while_the_money_is_on_its_way(self, stripe_api):
        intent = debit(stripe_api, SEPA_SUCCEEDS)

        refusal = refusal_of(stripe_api.refunds.create, {"payment_intent": intent.id})

        assert refusal.param == "charge"
        assert not StoredObject.objects.filter(kind="refund").exists()

    def test_refuses_while_the_payment_is_disputed(self, stripe_api):
        intent = pay(stripe_api, "pm_card_createDispute")

        refusal = refusal_of(stripe_api.refunds.create, {"payment_intent": intent.id})

        assert refusal.code == "charge_disputed"

    def test_of_everything_ends_an_inquiry(self, stripe_api):
        intent = pay(stripe_api, "pm_card_createDisputeInquiry")
        stripe_api.refunds.create({"payment_intent": intent.id, "amount": 1000})
        (asked,) = stripe_api.disputes.list({"payment_intent": intent.id}).data

        stripe_api.refunds.create({"payment_intent": intent.id})

        assert asked.status == "warning_needs_response"
        assert stripe_api.disputes.retrieve(asked.id).status == "warning_closed"


class TestCardsThatTakeTheirTime:
    def test_turn_a_pending_refund_into_a_succeeded_one(self, stripe_api):
        intent = pay(stripe_api, "pm_card_pendingRefund")
        refund = stripe_api.refunds.create({"payment_intent": intent.id})

        timers.advance(6)

        later = stripe_api.refunds.retrieve(refund.id)
        assert (refund.status, refund.balance_transaction) == ("pending", None)
        assert later.status == "succeeded"
        assert later.balance_transaction
        assert event_types()[-2:] == ["refund.updated", "charge.refund.updated"]

    def test_let_a_refund_fail_after_it_had_succeeded(self, stripe_api):
        intent = pay(stripe_api, "pm_card_refundFail")
        refund = stripe_api.refunds.create({"payment_intent": intent.id})

        timers.advance(6)

        later = stripe_api.refunds.retrieve(refund.id)
        charge = stripe_api.charges.retrieve(intent.latest_charge)
        back = stripe_api.balance_transactions.retrieve(later.failure_balance_transaction)
        assert (refund.status, later.status) == ("succeeded", "failed")
        assert later.failure_reason
        assert (charge.refunded, charge.amount_refunded) == (False, 0)
        assert (back.type, back.amount) == ("refund_failure", 4900)
        assert event_types()[-1] == "refund.failed"

    def test_turn_each_refund_in_its_own_time(self, stripe_api):
        intent = pay(stripe_api, "pm_card_pendingRefund")
        first = stripe_api.refunds.create({"payment_intent": intent.id, "amount": 1000})
        timers.advance(3)
        second = stripe_api.refunds.create({"payment_intent": intent.id, "amount": 1000})

        timers.advance(3)
        halfway = [stripe_api.refunds.retrieve(each.id).status for each in (first, second)]
        timers.advance(3)

        assert halfway == ["succeeded", "pending"]
        assert stripe_api.refunds.retrieve(second.id).status == "succeeded"


class TestUpdate:
    def test_tells_both_names_of_the_event(self, stripe_api, paid_intent):
        refund = stripe_api.refunds.create({"payment_intent": paid_intent.id})

        stripe_api.refunds.update(refund.id, {"metadata": {"order": "7"}})

        assert stripe_api.refunds.retrieve(refund.id).metadata["order"] == "7"
        assert event_types(refund.id) == ["refund.created", "refund.updated", "charge.refund.updated"]


class TestList:
    def test_finds_those_of_a_payment(self, stripe_api, paid_intent):
        mine = stripe_api.refunds.create({"payment_intent": paid_intent.id, "amount": 100})
        stripe_api.refunds.create({"payment_intent": pay(stripe_api).id})

        by_intent = stripe_api.refunds.list({"payment_intent": paid_intent.id})
        by_charge = stripe_api.refunds.list({"charge": paid_intent.latest_charge})

        assert [refund.id for refund in by_intent.data] == [refund.id for refund in by_charge.data] == [mine.id]

    def test_is_part_of_the_charge_when_asked_for(self, stripe_api, paid_intent):
        refund = stripe_api.refunds.create({"payment_intent": paid_intent.id})

        plain = stripe_api.charges.retrieve(paid_intent.latest_charge)
        expanded = stripe_api.charges.retrieve(paid_intent.latest_charge, {"expand": ["refunds"]})

        assert "refunds" not in plain
        assert [each.id for each in expanded.refunds.auto_paging_iter()] == [refund.id]
