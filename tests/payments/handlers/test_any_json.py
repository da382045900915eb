"""Whatever JSON arrives: a handler says facts or nothing, or refuses the object with a reason."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.facts import NoFacts
from payments.handlers.registry import handled_types
from payments.stripe_api.snapshots import MalformedObject
from tests.support.stripe_objects import (
    charge_object,
    dispute_object,
    intent_object,
    refund_object,
    session_object,
    told_by,
)
from tests.support.subscriptions import (
    customer_object,
    invoice_object,
    invoice_payment_object,
    old_invoice_object,
    old_subscription_object,
    subscription_object,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BEGUN = session_object(mode="subscription", subscription="sub_1", invoice="in_1", customer="cus_1")
WHOLE = [
    session_object(),
    BEGUN,
    intent_object(),
    charge_object(),
    refund_object(),
    dispute_object(),
    subscription_object(),
    old_subscription_object(),
    invoice_object(),
    old_invoice_object(),
    invoice_payment_object(),
    customer_object(),
]
NAMES = sorted({name for each in WHOLE for name in each} | {"charges", "refunds", "customer_details", "payments"})
INNER = [
    "id",
    "data",
    "orderId",
    "registrationId",
    "attempt",
    "site",
    "charge",
    "code",
    "decline_code",
    "due_by",
    "plan",
    "price",
    "recurring",
    "subscription_details",
    "subscription",
    "period",
    "address",
    "paid_at",
]
ODD_VALUES = ANYTHING | st.dictionaries(st.sampled_from(INNER), ANYTHING, max_size=4)


@st.composite
def odd_objects(draw: st.DrawFn) -> dict[str, Any]:
    """A right object of any kind with odd values in some of its fields, or anything at all."""
    whole = draw(st.sampled_from([{}, *WHOLE]))
    odd = draw(st.dictionaries(st.sampled_from(NAMES), ODD_VALUES, max_size=5))
    return json.loads(json.dumps({**whole, **odd}))


class TestAnyHandler:
    def test_is_there(self):
        assert len(handled_types()) >= 35

    @pytest.mark.parametrize("event_type", handled_types())
    @settings(max_examples=60, deadline=None)
    @given(stripe_object=odd_objects())
    def test_says_something_or_refuses_with_a_reason(self, event_type, stripe_object):
        with suppress(MalformedObject):
            said = told_by(event_type, stripe_object)

            assert said
            all_refs = {fact.refs for fact in said if not isinstance(fact, NoFacts)}
            assert all(len(name) <= 255 for refs in all_refs for name in (*refs.names(), refs.customer))
            # Only a session tells of several things: an order, what was subscribed to, and who did.
            kinds = {refs.names()[:1] for refs in all_refs}
            assert len(kinds) <= (3 if event_type.startswith("checkout.session") else 1)
