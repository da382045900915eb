from datetime import timedelta

import pytest

from modules_access.models import AccessToken, ModuleAccess
from modules_access.product import ModuleProduct
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Dispute
from payments.evidence import Case
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import give_back, make_buyer, make_grant, make_token

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def told(*, order=None, subscription=None):
    case = Case(dispute=Dispute(), payment=None, order=order, subscription=subscription, customer=None, user=None)
    return [(entry.at, entry.what, entry.detail) for entry in ModuleProduct().evidence(case, at=LATER)]


class TestModules:
    def test_tells_that_access_was_given_and_how_often_it_was_used(self, learner, module):
        order = make_buyer(learner, module).order
        ModuleAccess.objects.update(used=12, last_used_at=LATER)
        make_grant(learner, module)

        assert told(order=order) == [
            (NOON, "Access to a module given", "Drawing (Purchase), for ada@example.com"),
            (
                LATER, "Module used",
                "Drawing: used 12 times; this was the last time, earlier ones are not kept.",
            ),
        ]  # fmt: skip

    def test_tells_of_the_token_that_rests_on_the_order(self, learner, module):
        order = make_buyer(learner, module).order
        make_token(learner, module, order=order)
        AccessToken.objects.update(used=1, last_used_at=LATER)

        assert told(order=order)[1:] == [
            (NOON, "Access to a module given", "Drawing (Token), for ada@example.com"),
            (LATER, "Module used", "Drawing: used 1 time; this was the last time, earlier ones are not kept."),
        ]

    def test_tells_that_access_has_ended(self, learner, module):
        order = make_buyer(learner, module).order

        give_back(order, at=LATER)

        assert told(order=order)[-1] == (LATER, "Access to a module ended", "Drawing: The money has gone back.")

    def test_tells_what_a_subscription_opened(self, learner, module):
        member = make_member(user=learner)
        follow_subscriptions_again([member.pk], source="test", at=NOON)

        assert [entry[2] for entry in told(subscription=member)] == ["Drawing (Subscription), for ada@example.com"]

    def test_has_nothing_to_tell_of_what_is_no_module(self, learner, module):
        make_grant(learner, module)

        assert told() == []
