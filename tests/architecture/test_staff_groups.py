"""Who may see and do what, as one table; and that money is changed by nobody's hand."""

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from payments.admin.kit.actions import ScreenAction
from registrations.models import Registration
from tests.support.factories import ActivityFactory, UserFactory, make_staff

pytestmark = pytest.mark.django_db
ALL = frozenset({"support", "operator", "finance", "admin"})
SEE_PEOPLE = ALL - {"support"}
OPERATOR, FINANCE, ADMIN = frozenset({"operator"}), frozenset({"finance"}), frozenset({"admin"})
# Each button of a screen: its right, and the groups that have it.
ACTS = {
    ("order", "refund"): ("payments.refund_order", FINANCE),
    ("order", "resync_order_action"): ("payments.resync_order", OPERATOR),
    ("subscription", "refund_subscription_action"): ("payments.refund_subscription", FINANCE),
    ("subscription", "cancel_subscription"): ("payments.cancel_subscription", FINANCE),
    ("subscription", "give_back"): ("payments.give_access_back", FINANCE),
    ("subscription", "resync_subscription_action"): ("payments.resync_subscription", OPERATOR),
    ("customer", "resync_customer_action"): ("payments.resync_customer", OPERATOR),
    ("user", "resync_user_action"): ("payments.resync_customer", OPERATOR),
    ("user", "export_person_action"): ("accounts.export_personal_data", ADMIN),
    ("user", "erase_person_action"): ("accounts.erase_personal_data", ADMIN),
    ("dispute", "evidence"): ("payments.evidence_dispute", FINANCE),
    ("orderexception", "refund"): ("payments.refund_orderexception", FINANCE),
    ("orderexception", "refund_once_more"): ("payments.retry_refund", FINANCE),
    ("orderexception", "send_once_more"): ("payments.resend_effect", FINANCE),
    ("orderexception", "end_now"): ("payments.end_subscription", FINANCE),
    ("orderexception", "end_period"): ("payments.end_subscription", FINANCE),
    ("orderexception", "cancel_subscription"): ("payments.cancel_subscription", FINANCE),
    ("orderexception", "give_back"): ("payments.give_access_back", FINANCE),
    ("orderexception", "seat"): ("payments.give_place", FINANCE),
    ("orderexception", "accept_money"): ("payments.accept_orderexception", FINANCE),
    ("orderexception", "link"): ("payments.link_orderexception", FINANCE),
    ("orderexception", "close"): ("payments.dismiss_orderexception", FINANCE),
    ("paymentevent", "replay"): ("payments.replay_paymentevent", OPERATOR),
    ("replayrun", "cancel"): ("payments.replay_paymentevent", OPERATOR),
    ("replayrun", "go_on"): ("payments.replay_paymentevent", OPERATOR),
    ("heldtype", "release"): ("payments.release_heldtype", ADMIN),
    ("incident", "close"): ("payments.close_incident", ADMIN),
    ("activity", "call_off_action"): ("registrations.call_off_activity", ADMIN),
    ("activity", "offer_action"): ("registrations.offer_place", OPERATOR),
    ("registration", "free_action"): ("registrations.free_place", OPERATOR),
    ("registration", "resend_action"): ("registrations.resend_message", OPERATOR),
    ("registration", "address_action"): ("registrations.correct_address", OPERATOR),
    ("moduleaccess", "extend_action"): ("modules_access.extend_access", OPERATOR),
    ("moduleaccess", "revoke_action"): ("modules_access.revoke_access", OPERATOR),
    ("accesstoken", "revoke_action"): ("modules_access.revoke_token", OPERATOR),
    ("servicekey", "rotate_action"): ("modules_access.rotate_servicekey", ADMIN),
    ("servicekey", "revoke_action"): ("modules_access.revoke_servicekey", ADMIN),
}
# One act that can be done in two ways, and two doors to the same act.
SHARED = {
    "payments.end_subscription", "payments.cancel_subscription", "payments.give_access_back",
    "payments.replay_paymentevent", "payments.resync_customer",
}  # fmt: skip
# What is made or edited on a form.
FORMS = {
    ("activity", "add"): {"operator", "admin"}, ("activity", "change"): {"operator", "admin"},
    ("module", "add"): {"operator", "admin"}, ("module", "change"): {"operator", "admin"}, ("module", "delete"): ADMIN,
    ("planopening", "add"): ADMIN, ("planopening", "change"): ADMIN,
    ("shop", "change"): ADMIN,
    ("plan", "add"): {"finance", "admin"}, ("plan", "change"): {"finance", "admin"}, ("plan", "delete"): ADMIN,
    ("heldtype", "add"): ADMIN, ("incident", "add"): ADMIN, ("servicekey", "add"): ADMIN,
    ("moduleaccess", "add"): OPERATOR, ("accesstoken", "add"): OPERATOR,
    ("user", "add"): ADMIN, ("user", "change"): ADMIN,
}  # fmt: skip
# Pages that are no list of rows.
PAGES = {
    "modules_access_doctor": ALL, "modules_access_paid_without": ALL, "modules_access_figures": ALL,
    "finance_export": FINANCE,
    "registrations_activity_door": OPERATOR, "registrations_activity_export": {"operator", "finance"},
}  # fmt: skip


def actions():
    """Every button of every screen: the screen, its name, and the action."""
    for model, screen in admin.site._registry.items():
        for action in screen.actions or ():
            yield model, action if isinstance(action, ScreenAction) else None


@pytest.fixture
def clients(db):
    """One browser for each group."""
    found = {}
    for name in sorted(ALL):
        user = UserFactory(email=f"{name}@example.com", is_staff=True)
        user.groups.add(Group.objects.get(name=name))
        found[name] = Client()
        found[name].force_login(user)
        found[name].user = user
    return found


def allowed(clients, address):
    """The groups that get the page; the others are refused, in the right way."""
    statuses = {name: client.get(address).status_code for name, client in clients.items()}
    assert set(statuses.values()) <= {200, 403}
    return {name for name, status in statuses.items() if status == 200}


class TestActs:
    def test_are_all_in_the_table_each_with_a_right_of_its_own(self):
        found = {(model._meta.model_name, action.name): action.permission for model, action in actions()}

        assert found == {act: right for act, (right, _groups) in ACTS.items()}
        rights = [right for right in found.values() if right not in SHARED]
        assert len(rights) == len(set(rights))
        assert not [right for right in rights if right.split(".")[1].startswith(("add_", "change_", "delete_"))]

    def test_are_offered_to_their_groups_alone(self, clients, rf):
        offered = {}
        for model, action in actions():
            request = rf.get("/")
            names = set()
            for name, client in clients.items():
                request.user = client.user
                if action.name in admin.site._registry[model].get_actions(request):
                    names.add(name)
            offered[model._meta.model_name, action.name] = names

        assert offered == {act: set(groups) for act, (_right, groups) in ACTS.items()}

    def test_need_rights_that_some_group_has(self):
        """A right that is new is put into `config/rights.py`, or only superusers could ever use it."""
        own = Permission.objects.filter(
            content_type__app_label__in=["accounts", "payments", "registrations", "modules_access"]
        )
        usual = Q(codename__regex="^(add|change|delete|view)_") & ~Q(codename="view_personal_data")

        assert not own.exclude(usual).exclude(group__name__in=ALL).values_list("codename", flat=True)


class TestScreens:
    def test_show_every_list_to_every_group_and_groups_to_who_answers_for_them(self, clients):
        seen = {
            model._meta.label_lower: allowed(clients, reverse(admin_urlname(model._meta, "changelist")))
            for model in admin.site._registry
        }

        assert seen.pop("auth.group") == ADMIN
        assert {label: groups for label, groups in seen.items() if groups != ALL} == {}

    def test_have_their_forms_for_their_groups(self, clients, rf):
        may = {}
        for model, screen in admin.site._registry.items():
            for what in ("add", "change", "delete"):
                names = set()
                for name, client in clients.items():
                    request = rf.get("/")
                    request.user = client.user
                    if getattr(screen, f"has_{what}_permission")(request):
                        names.add(name)
                if names:
                    may[model._meta.model_name, what] = names

        assert may == {form: set(groups) for form, groups in FORMS.items()}

    def test_lead_to_their_pages(self, clients):
        activity = ActivityFactory()
        for name, groups in PAGES.items():
            args = [activity.pk] if "activity" in name else []

            assert (name, allowed(clients, reverse(f"admin:{name}", args=args))) == (name, set(groups))

    def test_let_one_group_repair(self, clients):
        address = reverse("admin:modules_access_repair")
        statuses = {name: client.post(address, {"action": "repair"}).status_code for name, client in clients.items()}

        assert statuses == {"operator": 302, "support": 403, "finance": 403, "admin": 403}


# What is sold, what is held back, and people: the rest is what happened.
TYPED = {"activity", "module", "planopening", "plan", "shop", "user", "group"}
MADE = {"heldtype", "incident", "servicekey", "moduleaccess", "accesstoken"}
MONEY = ("amount", "price", "currency", "received", "refunded", "lost", "places_taken")


class TestMoney:
    @pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
    def test_is_added_edited_and_deleted_by_nobody_s_hand(self, rf, model):
        request, name = rf.get("/"), model._meta.model_name
        request.user = make_staff()
        screen = admin.site._registry[model]

        assert screen.has_add_permission(request) == (name in (TYPED - {"shop"}) | MADE)
        assert screen.has_change_permission(request) == (name in TYPED)
        assert screen.has_delete_permission(request) == (name in {"module", "plan", "group"})
        for inline in screen.get_inline_instances(request):
            assert not inline.has_add_permission(request, None)
            assert not inline.has_change_permission(request)
            assert not inline.has_delete_permission(request)

    def test_is_no_field_of_a_form_but_the_price_of_what_is_sold(self, rf):
        request = rf.get("/")
        request.user = make_staff()
        fields = {
            (model._meta.model_name, field)
            for model, screen in admin.site._registry.items()
            if model._meta.model_name in TYPED | MADE and model._meta.app_label != "auth"
            for field in screen.get_form(request).base_fields
        }

        assert {each for each in fields if each[1] in MONEY or "amount" in each[1]} == {
            ("activity", "price"), ("activity", "currency"), ("module", "price"), ("module", "currency"),
            ("plan", "amount"), ("plan", "currency"), ("plan", "price"),
        }  # fmt: skip

    def test_stays_as_it_is_whatever_is_sent(self, client, registration):
        client.force_login(make_staff())
        order = registration.order
        before = type(order).objects.values().get(pk=order.pk)
        sent = {"amount": "1", "amount_received": "4900", "status": "PAID", "holds_place": "", "post": "yes"}
        for row in (order, registration):
            for what in ("change", "delete"):
                name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{what}"
                assert client.post(reverse(name, args=[row.pk]), sent).status_code == 403

        assert type(order).objects.values().get(pk=order.pk) == before
        assert Registration.objects.get(pk=registration.pk).holds_place
