"""Which mails the life of a subscription brings, as its events are heard; what they say: billing/test_mails.py."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.billing.models import Subscription
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.processing.replay import replay_events
from payments.subscribing import cancel_at_period_end, change_plan, resume, subscribe
from tests.support.billing import advance_past
from tests.support.resync import heard
from tests.support.subscriber import pay


def now():
    return datetime.now(UTC)


def hear():
    """Everything, an hour after it has happened."""
    heard(later=timedelta(hours=1))


def subscribe_to(plan, user):
    pay(subscribe(user=user, plan=plan, at=now()))
    hear()


@pytest.fixture
def begun(ada, monthly):
    subscribe_to(monthly, ada)


def told():
    kinds = Effect.objects.filter(kind__startswith="subscription.").values_list("kind", flat=True)
    return Counter(kind.removeprefix("subscription.") for kind in kinds)


class TestNewsOf:
    def test_tells_of_the_beginning_once_and_not_of_its_payment_as_well(self, begun):
        assert told() == {"begun": 1}

    def test_tells_of_another_plan_and_of_the_money_for_it(self, ada, yearly, begun):
        change_plan(user=ada, plan=yearly, at=now())
        hear()

        assert told() == {"begun": 1, "changed": 1, "paid": 1}
        assert Effect.objects.get(kind="subscription.changed").data["plan"] == "yearly"

    def test_tells_of_no_payment_where_nothing_was_paid(self, ada, monthly, yearly):
        subscribe_to(yearly, ada)

        change_plan(user=ada, plan=monthly, at=now())
        hear()

        assert told() == {"begun": 1, "changed": 1}

    def test_tells_of_a_planned_end_and_of_going_on(self, ada, begun):
        cancel_at_period_end(user=ada, at=now())
        hear()
        assert told() == {"begun": 1, "canceled": 1}

        with time_machine.travel(now() + timedelta(minutes=1), tick=False):
            resume(user=ada, at=now())
            hear()

        assert told() == {"begun": 1, "canceled": 1, "resumed": 1}

    def test_tells_of_each_renewal_that_was_paid(self, begun, stripe_api):
        advance_past(stripe_api, stripe_api.subscriptions.retrieve(Subscription.objects.get().stripe_id))
        heard(later=timedelta(days=33))

        assert told() == {"begun": 1, "paid": 1}

    def test_tells_nothing_twice(self, ada, yearly, begun):
        change_plan(user=ada, plan=yearly, at=now())
        hear()
        before = told()

        ids = list(PaymentEvent.objects.values_list("pk", flat=True))
        replay_events(ids, by=ada, reason="once more", at=now() + timedelta(hours=2))

        assert told() == before

    def test_tells_nobody_of_what_lies_days_back(self, ada, yearly, monthly, stripe_api):
        pay(subscribe(user=ada, plan=monthly, at=now()))
        heard(later=timedelta(days=8))
        stripe_api.subscriptions.update(Subscription.objects.get().stripe_id, {"cancel_at_period_end": True})
        heard(later=timedelta(days=8))

        assert told() == {}
