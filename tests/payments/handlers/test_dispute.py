"""What the events of a dispute say."""

from datetime import timedelta

import pytest

from payments.facts import DisputeFact, ObjectRefs
from payments.stripe_api.snapshots import MalformedObject
from tests.support.stripe_objects import NOON, dispute_object, told_by

PARTS = ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"]
TYPES = [f"charge.dispute.{part}" for part in PARTS]


@pytest.mark.parametrize("event_type", TYPES)
class TestEveryDisputeEvent:
    def test_tells_the_whole_dispute(self, event_type):
        facts = told_by(event_type, dispute_object())

        expected = DisputeFact(
            ObjectRefs(payment_intent="pi_1", charge="ch_1"),
            dispute="du_1",
            amount=4900,
            currency="eur",
            status="needs_response",
            occurred_at=NOON,
            reason="fraudulent",
            due_by=NOON + timedelta(hours=1),
        )
        assert facts == [expected]

    def test_trusts_the_status_rather_than_the_name_of_the_event(self, event_type):
        [fact] = told_by(event_type, dispute_object(status="lost"))

        assert isinstance(fact, DisputeFact)
        assert fact.status == "lost"

    def test_resolves_by_the_charge_alone(self, event_type):
        [fact] = told_by(event_type, dispute_object(payment_intent=None, charge={"id": "ch_1"}))

        assert isinstance(fact, DisputeFact)
        assert fact.refs.names() == ("ch_1",)

    def test_refuses_a_dispute_without_an_amount(self, event_type):
        with pytest.raises(MalformedObject, match="amount is missing"):
            told_by(event_type, dispute_object(amount=None))

    @pytest.mark.parametrize("status", ["appealed", "", None, 7])
    def test_never_guesses_what_a_status_means(self, event_type, status):
        with pytest.raises(MalformedObject, match="status"):
            told_by(event_type, dispute_object(status=status))


def case(case_type):
    return {"type": "card", "card": {"brand": "visa", "case_type": case_type}}


def moved(*amounts):
    return [{"object": "balance_transaction", "amount": amount} for amount in amounts]


class TestPrevented:
    @pytest.mark.parametrize(
        ("told", "took_money"),
        [
            ({"payment_method_details": case("block")}, False),
            ({"payment_method_details": case("resolution")}, True),
            ({"payment_method_details": case("resolution"), "balance_transactions": []}, True),
            ({"balance_transactions": moved(-4900)}, True),
            ({"payment_method_details": case("block"), "balance_transactions": moved(-4900)}, True),
            ({"payment_method_details": case("resolution"), "balance_transactions": moved(-4900, 4900)}, False),
            ({"balance_transactions": None}, False),
            ({}, False),
        ],
    )
    def test_tells_whether_the_money_was_taken_all_the_same(self, told, took_money):
        [fact] = told_by("charge.dispute.closed", dispute_object(status="prevented", **told))

        assert isinstance(fact, DisputeFact)
        assert fact.took_money is took_money

    def test_never_guesses_what_a_kind_of_case_means(self):
        with pytest.raises(MalformedObject, match="case_type is “sorcery”, which is unknown to us"):
            told_by("charge.dispute.closed", dispute_object(status="prevented", payment_method_details=case("sorcery")))
