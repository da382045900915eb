"""How a refund is read, in any shape."""

import pytest

from payments.stripe_api.snapshots import MalformedObject, StripeRefund
from tests.support.stripe_objects import NO_AMOUNT, refund_object


class TestRefund:
    def test_is_read_with_expanded_names(self):
        refund = StripeRefund.read(refund_object(charge={"id": "ch_1"}, payment_intent={"id": "pi_1"}))

        assert (refund.refs.payment_intent, refund.refs.charge) == ("pi_1", "ch_1")

    def test_counts_as_under_way_when_stripe_tells_no_status(self):
        assert StripeRefund.read(refund_object(status=None)).status == "pending"

    @pytest.mark.parametrize("amount", NO_AMOUNT)
    def test_refuses_an_amount_that_is_none(self, amount):
        with pytest.raises(MalformedObject, match="refund re_1: amount is"):
            StripeRefund.read(refund_object(amount=amount))

    def test_knows_which_effect_asked_for_it(self):
        assert StripeRefund.read(refund_object(metadata={"effect": "refund:o:1"})).effect == "refund:o:1"

    @pytest.mark.parametrize("metadata", [None, {}, [], {"effect": None}, {"effect": 3}])
    def test_may_have_been_made_elsewhere(self, metadata):
        assert StripeRefund.read(refund_object(metadata=metadata)).effect == ""
