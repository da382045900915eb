"""How a dispute is read, in any shape."""

from datetime import UTC, datetime

import pytest

from payments.stripe_api.snapshots import MalformedObject, StripeDispute
from tests.support.stripe_objects import dispute_object


class TestDispute:
    def test_tells_until_when_it_can_be_answered(self):
        due_by = datetime(2026, 11, 27, 12, tzinfo=UTC)

        dispute = StripeDispute.read(dispute_object(evidence_details={"due_by": int(due_by.timestamp())}))

        assert dispute.due_by == due_by

    @pytest.mark.parametrize("details", [{"due_by": 0}, {"due_by": None}, {}, None, "odd"])
    def test_has_no_date_when_no_answer_is_possible(self, details):
        assert StripeDispute.read(dispute_object(evidence_details=details)).due_by is None

    def test_does_without_a_payment_intent(self):
        refs = StripeDispute.read(dispute_object(payment_intent=None)).refs

        assert refs.names() == ("ch_1",)

    def test_refuses_to_guess_a_missing_status(self):
        with pytest.raises(MalformedObject, match="status is missing"):
            StripeDispute.read(dispute_object(status=None))
