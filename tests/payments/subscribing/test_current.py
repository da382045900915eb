from datetime import timedelta

import pytest

from payments.billing.models import Subscription
from payments.orders.models import OrderException
from payments.subscribing import ask_about_second_subscriptions
from tests.support.factories import NOON, UserFactory, make_staff
from tests.support.members import make_member


@pytest.fixture
def two():
    """Begun a day apart by one person, through two customers."""
    first = make_member()
    later = make_member(user=first.customer.user, started_at=NOON + timedelta(days=1))
    return first, later


class TestAskAboutSecondSubscriptions:
    def test_asks_once_about_the_later_one(self, two):
        assert (ask_about_second_subscriptions(at=NOON), ask_about_second_subscriptions(at=NOON)) == (1, 1)

        question = OrderException.objects.get()
        assert (question.kind, question.subject, question.is_open) == ("SECOND_SUBSCRIPTION", two[1].stripe_id, True)
        assert two[0].stripe_id in question.detail

    def test_closes_the_question_when_one_of_them_has_ended(self, two):
        ask_about_second_subscriptions(at=NOON)
        Subscription.objects.filter(pk=two[0].pk).update(status="canceled")

        assert ask_about_second_subscriptions(at=NOON) == 0
        assert not OrderException.objects.get().is_open

    def test_does_not_ask_again_what_staff_have_settled(self, two):
        ask_about_second_subscriptions(at=NOON)
        OrderException.objects.update(is_open=False, closed_by=make_staff())

        ask_about_second_subscriptions(at=NOON)

        assert not OrderException.objects.get().is_open

    def test_leaves_people_with_one_alone(self):
        make_member()
        make_member(user=UserFactory(), customer=None)

        assert ask_about_second_subscriptions(at=NOON) == 0
