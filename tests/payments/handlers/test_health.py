from payments.facts import LookUp
from payments.handlers.registry import HANDLERS, handled_types
from tests.support.stripe_objects import told_by

NOT_MADE = "v2.core.health.event_generation_failure.resolved"


class TestEventNotMade:
    def test_asks_for_what_is_named(self):
        assert told_by(NOT_MADE, {"id": "pi_1", "type": "payment_intent"}) == [LookUp(name="pi_1")]

    def test_asks_for_the_event_where_nothing_is(self):
        assert told_by(NOT_MADE, {}) == [LookUp()]

    def test_is_nothing_that_the_endpoint_for_snapshots_is_sent_or_that_lists_hold(self):
        assert HANDLERS.get(NOT_MADE)
        assert NOT_MADE not in handled_types()
