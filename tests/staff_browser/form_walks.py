"""The walks over the forms on which something is typed in: what is sold, plans, people and their groups.

Addresses are left to the script of the page, which proposes them.
"""

from datetime import datetime

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.shop.models import Shop
from modules_access.models import Module, PlanOpening
from payments.billing.models import Plan
from payments.incidents.models import Incident
from payments.incidents.switches import forget
from payments.ledger.models import HeldType
from registrations.models import Activity
from tests.staff_browser.clerk import REASON, Clerk, walk
from tests.support.factories import NOON, ActivityFactory, UserFactory
from tests.support.modules import make_module
from tests.support.subscriptions import make_plan

PASSWORD = "two horses and a battery"


@walk("activity.add")
def add_an_activity(clerk: Clerk) -> None:
    clerk.adds(Activity, title="Lino", starts_at="2030-06-01T18:00", price="49", capacity="8")

    clerk.is_told()
    assert Activity.objects.get(slug="lino").price == 4900


@walk("activity.change")
def add_places(clerk: Clerk) -> None:
    activity = ActivityFactory.create()

    clerk.changes(activity, capacity="20")

    activity.refresh_from_db()
    assert activity.capacity == 20


@walk("module.add")
def add_a_module(clerk: Clerk) -> None:
    clerk.adds(Module, title="Lino", price="49", url="https://lino.example/enter")

    clerk.is_told()
    assert Module.objects.get(slug="lino").price == 4900


@walk("module.change")
def rename_a_module(clerk: Clerk) -> None:
    module = make_module("felt")

    clerk.changes(module, title="Felt and wool")

    module.refresh_from_db()
    assert module.title == "Felt and wool"


@walk("module.delete")
def delete_a_module(clerk: Clerk) -> None:
    module = make_module("weaving")

    clerk.deletes(module)

    assert not Module.objects.filter(pk=module.pk).exists()


@walk("planopening.add")
def choose_the_modules_of_a_plan(clerk: Clerk) -> None:
    plan = make_plan("silver")

    clerk.adds(PlanOpening, plan=str(plan.pk))

    clerk.is_told()
    assert PlanOpening.objects.filter(plan=plan).exists()


@walk("planopening.change")
def open_one_module_more(clerk: Clerk) -> None:
    opening, module = PlanOpening.objects.get(plan__slug="monthly"), make_module("glazing")

    clerk.changes(opening, modules=str(module.pk))

    assert module in opening.modules.all()


@walk("plan.add")
def add_a_plan(clerk: Clerk) -> None:
    clerk.adds(Plan, name="Gold", amount="9", interval="month")

    clerk.is_told()
    assert Plan.objects.get(slug="gold").amount == 900


@walk("shop.change")
def say_who_sells(clerk: Clerk) -> None:
    clerk.opens("accounts_shop_changelist")
    clerk.saves(name="Maison des arts", phone="+33 4 78 00 00 00")

    clerk.is_told()
    assert Shop.objects.get().name == "Maison des arts"


@walk("plan.change")
def rename_a_plan(clerk: Clerk) -> None:
    plan = make_plan("bronze", price="")

    clerk.changes(plan, name="Bronze and tin")

    plan.refresh_from_db()
    assert plan.name == "Bronze and tin"


@walk("plan.delete")
def delete_a_plan(clerk: Clerk) -> None:
    plan = make_plan("copper")

    clerk.deletes(plan)

    assert not Plan.objects.filter(pk=plan.pk).exists()


@walk("incident.add")
def open_an_incident(clerk: Clerk) -> None:
    Incident.objects.update(state="CLOSED", closed_at=NOON)
    HeldType.objects.all().delete()
    clerk.adds(Incident, reason=REASON, ends_at="2030-06-01T18:00", pause_sales="on", hold_processing="on")

    clerk.is_told()
    assert Incident.objects.get(closed_at=None).pauses_sales
    assert HeldType.objects.get().pk == "*"
    close_incident_now(NOON)


@walk("incident.close")
def close_an_incident(clerk: Clerk) -> None:
    Incident.objects.update(state="CLOSED", closed_at=NOON)
    incident = Incident.objects.create(reason="Orders stay unpaid", opened_by="ada", opened_at=NOON)

    clerk.does(incident)

    incident.refresh_from_db()
    assert (incident.state, incident.closed_reason) == ("CLOSING", REASON)
    close_incident_now(NOON)


def close_incident_now(at: datetime) -> None:
    """What comes after is not to meet it."""
    HeldType.objects.filter(type="*").delete()
    Incident.objects.filter(closed_at=None).update(state="CLOSED", closed_at=at)
    forget()


@walk("user.add")
def add_a_person(clerk: Clerk) -> None:
    clerk.adds(User, email="new@example.com", password1=PASSWORD, password2=PASSWORD)

    clerk.is_told()
    assert User.objects.get(email="new@example.com").check_password(PASSWORD)


@walk("user.change")
def switch_an_account_off(clerk: Clerk) -> None:
    user = UserFactory.create()

    clerk.changes(user, is_active="", reason=REASON)

    user.refresh_from_db()
    assert not user.is_active


@walk("user.export_person_action")
def export_a_person(clerk: Clerk) -> None:
    user = UserFactory.create()

    with clerk.page.expect_download() as download:
        clerk.presses(user)

    assert download.value.suggested_filename == f"person-{user.pk}.json"


@walk("user.erase_person_action")
def erase_a_person(clerk: Clerk) -> None:
    user = UserFactory.create(name="Mary Somerville")

    clerk.does(user)

    user.refresh_from_db()
    assert (user.name, user.is_active) == ("", False)
    assert user.email.endswith("@erased.invalid")


@walk("group.add")
def add_a_group(clerk: Clerk) -> None:
    clerk.adds(Group, name="Helpers")

    clerk.is_told()
    assert Group.objects.filter(name="Helpers").exists()


@walk("group.change")
def rename_a_group(clerk: Clerk) -> None:
    group = Group.objects.create(name="Guests")

    clerk.changes(group, name="Friends")

    group.refresh_from_db()
    assert group.name == "Friends"


@walk("group.delete")
def delete_a_group(clerk: Clerk) -> None:
    group = Group.objects.create(name="Nobody")

    clerk.deletes(group)

    assert not Group.objects.filter(pk=group.pk).exists()
