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
