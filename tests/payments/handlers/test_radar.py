"""What the warnings of card networks say."""

import pytest

from payments.facts import FraudWarningFact, ObjectRefs
from payments.stripe_api.snapshots import MalformedObject
from tests.support.stripe_objects import NOON, told_by

WARNING = {
    "id": "issfr_1", "object": "radar.early_fraud_warning", "actionable": True, "charge": "ch_1", "created": 1,
    "fraud_type": "made_with_stolen_card", "livemode": False, "payment_intent": "pi_1",
}  # fmt: skip


@pytest.mark.parametrize("event_type", ["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"])
class TestFraudWarning:
    @pytest.mark.parametrize("is_actionable", [True, False])
    def test_tells_what_the_network_believes_and_whether_something_can_be_done(self, event_type, is_actionable):
        facts = told_by(event_type, {**WARNING, "actionable": is_actionable})

        refs = ObjectRefs(payment_intent="pi_1", charge="ch_1")
        assert facts == [FraudWarningFact(refs, "issfr_1", "made_with_stolen_card", is_actionable, NOON)]

    def test_resolves_by_the_charge_alone(self, event_type):
        [fact] = told_by(event_type, {**WARNING, "payment_intent": None, "charge": {"id": "ch_1"}})

        assert isinstance(fact, FraudWarningFact)
        assert fact.refs.names() == ("ch_1",)

    def test_asks_a_person_where_it_is_not_said_to_be_over(self, event_type):
        [fact] = told_by(event_type, {**WARNING, "actionable": None})

        assert isinstance(fact, FraudWarningFact)
        assert fact.is_actionable

    def test_refuses_one_that_does_not_say_what_it_is(self, event_type):
        with pytest.raises(MalformedObject, match="fraud_type"):
            told_by(event_type, {**WARNING, "fraud_type": None})
