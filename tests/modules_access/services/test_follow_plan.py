import pytest
from django.db.transaction import TransactionManagementError, atomic
from django.utils import timezone

from modules_access.models import ModuleAccess, PlanOpening
from modules_access.services import follow_plan
from modules_access.services.follow_plan import request_follow
from payments.apply.apply import follow_subscriptions_again
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from tests.support.factories import NOON, UserFactory
from tests.support.members import make_member


@pytest.fixture
def members(db):
    """Three people who have subscribed before there was anything to open, and one who has left."""
    rows = [make_member(user=UserFactory()) for _ in range(3)]
    make_member(user=UserFactory(), status="canceled")
    return rows


def work_off():
    deliver_all(clock=timezone.now)


def open_for():
    rows = ModuleAccess.objects.filter(is_active=True).order_by("subscription_id")
    return list(rows.values_list("subscription_id", flat=True))


class TestAskToFollow:
    def test_opens_for_everybody_what_is_new(self, members, module):
        request_follow(plan_id=None, at=NOON)

        work_off()

        assert open_for() == [row.pk for row in members]
        assert list(Effect.objects.values_list("kind", "status")) == [("module.follow_plan", "DONE")]

    def test_closes_what_the_plan_no_longer_opens(self, members, module):
        follow_subscriptions_again([row.pk for row in members], source="test", at=NOON)
        PlanOpening.objects.create(plan=members[0].plan, is_all=False)

        request_follow(plan_id=members[0].plan_id, at=NOON)
        work_off()

        assert open_for() == []

    def test_leaves_other_plans_alone(self, members, module):
        request_follow(plan_id=members[0].plan_id + 1, at=NOON)

        work_off()

        assert open_for() == []

    def test_goes_on_a_few_at_a_time(self, members, module, monkeypatch):
        monkeypatch.setattr(follow_plan, "BATCH_SIZE", 2)
        request_follow(plan_id=None, at=NOON)

        work_off()

        assert open_for() == [row.pk for row in members]
        assert Effect.objects.filter(status="DONE").count() == 2

    def test_can_be_asked_again(self, members, module):
        for _ in range(2):
            request_follow(plan_id=None, at=NOON)
            work_off()

        assert ModuleAccess.objects.count() == 3

    @pytest.mark.django_db(transaction=True)
    def test_is_lost_with_the_change_that_asked_for_it(self):
        with pytest.raises(TransactionManagementError):
            request_follow(plan_id=None, at=NOON)

        with pytest.raises(ZeroDivisionError):
            self.ask_and_fail()

        assert not Effect.objects.exists()

    @staticmethod
    @atomic
    def ask_and_fail():
        request_follow(plan_id=None, at=NOON)
        raise ZeroDivisionError
