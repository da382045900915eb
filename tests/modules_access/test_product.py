from datetime import timedelta

import pytest

from modules_access.models import AccessType, ModuleAccess, PlanOpening
from payments.apply.apply import follow_orders_again, follow_subscriptions_again
from payments.billing.models import Subscription
from payments.effects.models import Effect
from payments.orders.labels import name_of, value_of
from payments.orders.models import OrderChange
from tests.support.factories import NOON
from tests.support.members import MONTH, make_member
from tests.support.modules import (
    give_back,
    make_buyer,
    make_grant,
    make_module,
    make_purchase,
    make_token,
    pay,
)
from tests.support.subscriptions import make_plan

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def accesses(**which):
    rows = ModuleAccess.objects.filter(**which).order_by("pk")
    return [(row.access_type, row.module.slug, row.is_active, row.ended_reason) for row in rows]


class TestModulePurchase:
    def test_gives_access_when_the_money_comes(self, learner, module):
        purchase = make_purchase(learner, module)
        assert accesses() == []

        pay(purchase.order)

        access = ModuleAccess.objects.get()
        assert (access.user, access.order, access.expires_at) == (learner, purchase.order, None)
        assert access.is_open(at=LATER)

    def test_lasts_as_long_as_was_bought(self, learner):
        module = make_module(access_days=30)
        purchase = make_purchase(learner, module)
        module.access_days = 1
        module.save()

        pay(purchase.order)

        assert ModuleAccess.objects.get().expires_at == NOON + timedelta(days=30)

    def test_withdraws_what_was_refunded_and_gives_it_once(self, learner, module):
        purchase = make_buyer(learner, module)

        give_back(purchase.order)
        follow_orders_again([purchase.order_id], source="again", at=LATER)

        assert accesses() == [("purchase", "drawing", False, "refunded")]

    def test_leaves_what_other_sources_gave(self, learner, module):
        make_grant(learner, module)
        make_token(learner, module)
        make_member(user=learner)
        follow_subscriptions_again([learner.customers.get().subscriptions.get().pk], source="test", at=NOON)
        purchase = make_buyer(learner, module)

        give_back(purchase.order)

        assert {row[0]: row[2] for row in accesses()} == {
            "grant": True, "token": True, "subscription": True, "purchase": False,
        }  # fmt: skip

    def test_ends_the_token_that_rests_on_the_order(self, learner, module):
        purchase = make_buyer(learner, module)
        make_token(learner, module, order=purchase.order)

        give_back(purchase.order)

        assert accesses(access_type="token") == [("token", "drawing", False, "refunded")]

    def test_tells_the_buyer_once(self, learner, module):
        purchase = make_buyer(learner, module)

        follow_orders_again([purchase.order_id], source="again", at=LATER)

        assert list(Effect.objects.values_list("key", flat=True)) == [f"module.opened:{purchase.order_id}"]

    def test_writes_the_history_of_the_order(self, learner, module):
        purchase = make_buyer(learner, module)

        give_back(purchase.order)

        told = OrderChange.objects.filter(order=purchase.order, field="access").order_by("pk")
        assert [(change.before, change.after) for change in told] == [
            ("", "purchase: active"), ("purchase: active", "purchase: refunded"),
        ]  # fmt: skip


class TestFollowSubscriptions:
    def follow(self, row, at=NOON):
        follow_subscriptions_again([row.pk], source="test", at=at)

    def test_opens_every_module_of_a_plan_that_names_none(self, module):
        make_module("singing")

        self.follow(make_member())

        assert accesses() == [
            ("subscription", "drawing", True, ""), ("subscription", "singing", True, ""),
        ]  # fmt: skip
        assert ModuleAccess.objects.first().expires_at == NOON + MONTH + timedelta(days=3)

    def test_opens_what_the_plan_names(self, module):
        make_module("singing")
        member = make_member()
        PlanOpening.objects.create(plan=member.plan, is_all=False).modules.set([module])

        self.follow(member)

        assert [row[1] for row in accesses()] == ["drawing"]

    def test_opens_what_all_of_its_plans_name(self, module):
        singing, other = make_module("singing"), make_plan("other")
        member = make_member(further_plans=[other.pk])
        PlanOpening.objects.create(plan=member.plan, is_all=False).modules.set([module])
        PlanOpening.objects.create(plan=other, is_all=False).modules.set([singing])

        self.follow(member)

        assert [row[1] for row in accesses()] == ["drawing", "singing"]

    @pytest.mark.parametrize("reason", ["refunded", "dispute_lost"])
    def test_says_how_the_money_of_the_period_went_back(self, module, reason):
        member = make_member()
        self.follow(member)
        Subscription.objects.update(money_back=reason)

        self.follow(member)

        assert accesses() == [("subscription", "drawing", False, reason)]

    def test_keeps_open_what_is_paid_when_a_later_bill_is_not(self, module):
        member = make_member(status="unpaid", covered_until=NOON + MONTH)

        self.follow(member)

        assert ModuleAccess.objects.get().expires_at == NOON + MONTH

    def test_closes_what_the_plan_no_longer_names(self, module):
        member = make_member()
        self.follow(member)
        PlanOpening.objects.create(plan=member.plan, is_all=False)

        self.follow(member)

        assert accesses() == [("subscription", "drawing", False, "not_in_plan")]

    def test_closes_when_the_subscription_ends_and_opens_when_it_goes_on(self, module):
        member = make_member()
        self.follow(member)

        member.status = "unpaid"
        member.save()
        self.follow(member)
        assert accesses() == [("subscription", "drawing", False, "subscription_ended")]

        member.status = "active"
        member.save()
        self.follow(member)
        assert accesses() == [("subscription", "drawing", True, "")]

    def test_waits_for_an_account(self, module):
        member = make_member()
        customer = member.customer
        learner, customer.user = customer.user, None
        customer.save()
        self.follow(member)
        assert accesses() == []

        customer.user = learner
        customer.save()
        self.follow(member)
        assert accesses() == [("subscription", "drawing", True, "")]

    def test_leaves_what_staff_took_back(self, module):
        member = make_member()
        self.follow(member)
        ModuleAccess.objects.update(revoked_at=NOON, is_active=False, ended_at=NOON, ended_reason="revoked")

        self.follow(member)

        assert accesses() == [("subscription", "drawing", False, "revoked")]
        assert ModuleAccess.objects.get().access_type == AccessType.SUBSCRIPTION


class TestWords:
    def test_tell_staff_what_became_of_the_access(self):
        assert name_of("access") == "Access"
        assert value_of("access", "purchase: active", currency="eur") == "Purchase: active"
        assert value_of("access", "token: refunded", currency="eur") == "Token: The money has gone back."

    def test_count_the_modules_of_a_subscription(self):
        make_module()
        make_module("singing")
        member = make_member()

        follow_subscriptions_again([member.pk], source="test", at=NOON)

        told = OrderChange.objects.get(subscription=member)
        assert (name_of(told.field), told.before, told.after) == ("Modules open", "0", "2")
