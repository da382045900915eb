"""What the events of a subscription say."""

from datetime import UTC, datetime

import pytest

from payments.facts import SubscriptionFact, SubscriptionNoticeFact
from payments.stripe_api.snapshots import StripeSubscription
from tests.support.stripe_objects import NOON, told_by
from tests.support.subscriptions import subscription_object

SOURCE = subscription_object()
WHOLE = StripeSubscription.read(SOURCE)


class TestCreated:
    def test_tells_the_whole_of_it_at_its_birth(self):
        assert told_by("customer.subscription.created", SOURCE) == [WHOLE.to_fact(at=NOON, from_created_event=True)]


@pytest.mark.parametrize("word", ["updated", "deleted", "paused", "resumed"])
class TestLater:
    def test_tells_the_whole_of_it(self, word):
        assert told_by(f"customer.subscription.{word}", SOURCE) == [WHOLE.to_fact(at=NOON)]

    def test_takes_the_status_from_the_object_and_not_from_the_name_of_the_event(self, word):
        [fact] = told_by(f"customer.subscription.{word}", subscription_object(status="unpaid"))

        assert isinstance(fact, SubscriptionFact)
        assert fact.status == "unpaid"


class TestTrialWillEnd:
    def test_tells_the_whole_of_it_and_asks_for_a_message(self):
        trial_end = datetime(2026, 11, 23, 12, tzinfo=UTC)
        source = subscription_object(status="trialing", trial_end=int(trial_end.timestamp()))

        whole, appeal = told_by("customer.subscription.trial_will_end", source)

        assert whole == StripeSubscription.read(source).to_fact(at=NOON)
        assert appeal == SubscriptionNoticeFact(WHOLE.refs, "trial_will_end", NOON)
