"""What accesses tell of themselves, in the story of their order or subscription."""

from datetime import timedelta

import pytest

from modules_access.models import AccessToken, ModuleAccess
from modules_access.product import ModuleProduct
from modules_access.services.grants import revoke_access
from payments.apply.apply import follow_subscriptions_again
from payments.timeline import Subject
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import give_back, make_buyer, make_grant, make_token

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def told(*, order=None, subscription=None):
    moments = ModuleProduct().story(Subject.of(order, subscription), at=LATER)
    return [(each.at, each.sentence, each.detail) for each in sorted(moments, key=lambda each: each.at)]


class TestTheStory:
    def test_tells_that_access_was_given_and_how_often_it_was_used(self, learner, module):
        order = make_buyer(learner, module).order
        ModuleAccess.objects.update(used=12, last_used_at=LATER)
        make_grant(learner, module)

        assert told(order=order) == [
            (NOON, "Access to Drawing was given (Purchase).", "ada@example.com"),
            (LATER, "Used Drawing, 12 times in all; this was the last time, earlier ones are not kept.", ""),
        ]

    def test_tells_of_the_token_that_rests_on_the_order(self, learner, module):
        order = make_buyer(learner, module).order
        make_token(learner, module, order=order)
        AccessToken.objects.update(used=1, last_used_at=LATER)

        given, *others = told(order=order)
        assert {given[1], others[0][1]} == {
            "Access to Drawing was given (Purchase).", "Access to Drawing was given (Token).",
        }  # fmt: skip
        assert others[1:] == [
            (LATER, "Used Drawing, 1 time in all; this was the last time, earlier ones are not kept.", "")
        ]

    def test_tells_that_access_has_ended(self, learner, module):
        order = make_buyer(learner, module).order

        give_back(order, at=LATER)

        assert told(order=order)[-1] == (LATER, "The access to Drawing ended.", "The money has gone back.")

    def test_tells_what_a_subscription_opened(self, learner, module):
        member = make_member(user=learner)
        follow_subscriptions_again([member.pk], source="test", at=NOON)

        assert [entry[1] for entry in told(subscription=member)] == ["Access to Drawing was given (Subscription)."]

    def test_tells_staff_who_changed_an_access_and_why(self, learner, module):
        order = make_buyer(learner, module).order
        revoke_access(access=ModuleAccess.objects.get(), reason="shared it", by="ada", at=LATER)

        assert told(order=order)[-1] == (LATER, "Took back the access to Drawing.", "shared it")

    def test_has_nothing_to_tell_of_what_is_no_module(self, learner, module):
        make_grant(learner, module)

        assert told() == []
