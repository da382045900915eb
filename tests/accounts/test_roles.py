"""The groups of staff: made by the migration, added to by what is new, and never fought over."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from accounts.models import GivenRight
from accounts.roles import NoSuchGroup, ensure_group, give_rights, give_rights_after_migrate
from tests.support.factories import UserFactory

pytestmark = pytest.mark.django_db


def right(name):
    app, codename = name.split(".")
    return Permission.objects.get(codename=codename, content_type__app_label=app)


def rights_of(name):
    found = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in found}


@pytest.fixture
def later():
    """A right that a later version brings along: support sees whatever there is to see."""
    about = ContentType.objects.get(app_label="payments", model="order")
    return Permission.objects.create(codename="view_timeline", name="Can view timelines", content_type=about)


class TestGiveRights:
    def test_has_made_the_groups(self):
        assert "payments.view_order" in rights_of("support")
        assert "payments.refund_order" not in rights_of("support")
        assert {"payments.refund_order", "payments.refund_subscription"} <= rights_of("finance")
        assert "accounts.view_personal_data" not in rights_of("support")

    def test_brings_what_is_new_to_the_groups_it_is_meant_for(self, later):
        give_rights(app_label="payments")

        assert "payments.view_timeline" in rights_of("support")

    def test_leaves_alone_what_somebody_has_changed_by_hand(self, later):
        support = Group.objects.get(name="support")
        support.permissions.remove(right("payments.view_order"))
        support.permissions.add(right("payments.refund_order"))

        give_rights(app_label="payments")

        assert "payments.view_order" not in rights_of("support")
        assert {"payments.refund_order", "payments.view_timeline"} <= rights_of("support")

    def test_makes_no_group_again_that_somebody_has_deleted_or_renamed(self, later):
        Group.objects.get(name="support").delete()
        Group.objects.filter(name="finance").update(name="accounting")

        give_rights(app_label="payments")

        assert not Group.objects.filter(name__in=["support", "finance"]).exists()

    def test_changes_nothing_the_second_time(self):
        before = GivenRight.objects.count(), rights_of("admin")

        for app in apps.get_app_configs():
            give_rights_after_migrate(sender=app)

        assert (GivenRight.objects.count(), rights_of("admin")) == before

    def test_gives_who_had_a_right_that_was_split_its_parts_once(self):
        person, group = UserFactory(), Group.objects.create(name="Sales")
        for owner in (person.user_permissions, group.permissions):
            owner.add(right("payments.add_refund"))
        GivenRight.objects.filter(group_name="", permission="payments.add_refund").delete()

        give_rights(app_label="payments")
        assert person.has_perm("payments.refund_order")
        assert "payments.retry_refund" in rights_of("Sales")

        group.permissions.remove(right("payments.retry_refund"))
        give_rights(app_label="payments")
        assert "payments.retry_refund" not in rights_of("Sales")


class TestEnsureGroup:
    def test_makes_a_deleted_group_again_with_all_its_rights(self):
        before = rights_of("operator")
        Group.objects.get(name="operator").delete()

        ensure_group("operator")

        assert rights_of("operator") == before

    def test_leaves_one_that_is_there_as_it_is(self):
        Group.objects.get(name="operator").permissions.clear()

        assert not ensure_group("operator").permissions.exists()

    def test_knows_no_other(self):
        with pytest.raises(NoSuchGroup, match="choose one of support, operator, finance, admin"):
            ensure_group("boss")
