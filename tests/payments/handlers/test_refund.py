"""What the events of a refund say."""

import pytest

from payments.facts import ObjectRefs, RefundFact
from payments.stripe_api.snapshots import MalformedObject
from tests.support.stripe_objects import METADATA, NOON, ORDER, refund_object, told_by

TYPES = ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]


@pytest.mark.parametrize("event_type", TYPES)
class TestEveryRefundEvent:
    def test_tells_the_whole_refund(self, event_type):
        facts = told_by(event_type, refund_object(status="failed", failure_reason="expired_or_canceled_card"))

        expected = RefundFact(
            ObjectRefs(payment_intent="pi_1", charge="ch_1"),
            refund="re_1",
            amount=1000,
            currency="eur",
            status="failed",
            occurred_at=NOON,
            reason="requested_by_customer",
            failure_reason="expired_or_canceled_card",
        )
        assert facts == [expected]

    def test_reads_our_metadata_when_the_refund_has_it(self, event_type):
        [fact] = told_by(event_type, refund_object(metadata=METADATA))

        assert isinstance(fact, RefundFact)
        assert fact.refs.order == ORDER

    def test_refuses_a_refund_without_an_amount(self, event_type):
        with pytest.raises(MalformedObject, match="amount is missing"):
            told_by(event_type, refund_object(amount=None))

    def test_tells_why_it_waits(self, event_type):
        [fact] = told_by(event_type, refund_object(status="pending", pending_reason="insufficient_funds"))

        assert isinstance(fact, RefundFact)
        assert (fact.status, fact.pending_reason) == ("pending", "insufficient_funds")

    def test_never_guesses_what_a_status_means(self, event_type):
        with pytest.raises(MalformedObject, match="re_1: its status is “half_done”, which is unknown to us"):
            told_by(event_type, refund_object(status="half_done"))

    def test_counts_one_without_a_status_as_on_its_way(self, event_type):
        [fact] = told_by(event_type, refund_object(status=None))

        assert isinstance(fact, RefundFact)
        assert fact.status == "pending"
