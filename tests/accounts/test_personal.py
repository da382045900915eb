"""Who may not see people sees initials and masked addresses everywhere, finds them all the same, and saves no mask."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.personal import mask_addresses, masked, shown_data, shown_name
from accounts.staff_site import PAGES
from payments.orders.models import Order
from registrations.models import Registration, WaitingEntry
from tests.support.factories import NOON, UserFactory
from tests.support.modules import make_grant, make_module
from tests.support.road import event_of, hear
from tests.support.subscriptions import make_customer, make_subscription

BUYER = "camille.martin@example.com"


class TestMaskAddresses:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("camille@example.org", "c…@example.org"),
            ("<a href='?q=zo%C3%A9%40example.org'>zoé@b.org</a>", "<a href='?q=z…%40example.org'>z…@b.org</a>"),
            ("o&#x27;neill+x@mail.example.co.uk, b@c.fr", "o…@mail.example.co.uk, b…@c.fr"),
            ("no address @ all, €4.00 @media 5@", "no address @ all, €4.00 @media 5@"),
        ],
    )  # fmt: skip
    def test_leaves_the_first_letter_and_the_domain(self, text, told):
        assert mask_addresses(text) == told

    def test_keeps_what_is_known_already(self):
        assert mask_addresses("a.b@x.org b@x.org", keep=["A.B@x.org"]) == "a.b@x.org b…@x.org"


class TestShown:
    def test_is_everything_unless_masked(self):
        assert (shown_name("Camille Martin"), shown_data({"name": "Camille"})) == (
            "Camille Martin",
            {"name": "Camille"},
        )

    def test_is_initials_and_nothing_of_what_strangers_wrote_about_themselves(self):
        with masked():
            assert shown_name("camille  de Martin") == "c. d. M."
            data = {"customer_details": {"name": "Camille", "phone": None}, "lines": [{"email": BUYER, "id": "in_1"}]}
            assert shown_data(data) == {
                "customer_details": {"name": "…", "phone": None}, "lines": [{"email": "…", "id": "in_1"}]
            }  # fmt: skip


@pytest.fixture
def story(registration, db):
    """One person on every screen: registered, paid, a customer, subscribed, learning, waiting elsewhere."""
    hear(event_of(registration, "checkout.session.completed"))
    user = UserFactory(email=BUYER, name="Camille Martin")
    customer = make_customer("cus_1", email=BUYER, name="Camille Martin", user=user)
    make_subscription("sub_1", customer=customer)
    make_grant(user, make_module())
    WaitingEntry.objects.create(
        activity=registration.activity, name="Camille Martin", email=BUYER, language="fr", created_at=NOON
    )
    return registration


def browser_of(*groups, rights=()):
    user = UserFactory(is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    page = Client(headers={"accept-language": "en"})
    page.force_login(user)
    return page


def pages():
    """Every list, the page of every row, and the pages of our own, asked about this very buyer."""
    yield from (reverse(f"admin:{page.name}") for page in PAGES if "<" not in page.route)
    yield from (reverse("admin:person", args=[user.pk]) for user in User.objects.all())
    yield from (f"{reverse('admin:diagnose')}?q={order.number}" for order in Order.objects.all())
    yield f"{reverse('admin:find')}?q=O-"
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield from (reverse(f"{name}_change", args=[row.pk]) for row in model._base_manager.all()[:2])


class TestSupport:
    def test_reads_neither_names_nor_addresses_on_any_screen(self, story):
        page = browser_of("support")
        leaks = []
        for address in pages():
            answer = page.get(address)
            content = answer.content.decode()
            leaks += [(address, word) for word in (BUYER, "camille.martin%40", "Camille", "Martin") if word in content]

        assert leaks == []

    def test_tells_people_apart_by_initials_and_domains(self, story):
        content = browser_of("support").get(reverse("admin:registrations_registration_changelist")).content.decode()

        assert "C. M." in content
        assert "c…@example.com" in content

    @pytest.mark.parametrize(
        ("term", "found"),
        [(BUYER, 1), ("Camille.Martin@EXAMPLE.com", 1), ("martin", 1), ("camille.mar", 0), ("martin@exa", 0)],
    )
    @pytest.mark.parametrize("screen", ["registrations_registration", "payments_customer", "accounts_user"])
    def test_finds_by_name_and_whole_address_but_not_letter_by_letter(self, story, screen, term, found):
        answer = browser_of("support").get(reverse(f"admin:{screen}_changelist"), {"q": term})

        assert len(answer.context["cl"].result_list) == found

    def test_is_told_apart_from_who_sees_people(self, story):
        content = browser_of("operator").get(reverse("admin:registrations_registration_changelist")).content.decode()

        assert "Camille Martin" in content
        assert BUYER in content

    def test_may_not_read_the_history_of_a_person(self, story):
        user = User.objects.get(email=BUYER)

        assert browser_of("support").get(reverse("admin:accounts_user_history", args=[user.pk])).status_code == 403


class TestMask:
    """Somebody who was given rights to act, but not to see people."""

    def test_is_never_saved_by_a_form(self, story):
        user = User.objects.get(email=BUYER)
        page = browser_of(rights=["view_user", "change_user", "add_user"])
        address = reverse("admin:accounts_user_change", args=[user.pk])

        assert 'name="email"' not in page.get(address).content.decode()
        sent = {"email": "c…@example.com", "name": "C. M.", "language": "en", "is_active": "on", "reason": "x"}
        assert page.post(address, sent).status_code == 403

        user.refresh_from_db()
        assert (user.email, user.name) == (BUYER, "Camille Martin")

    def test_is_never_saved_by_an_act_and_stands_on_the_page_that_asks(self, story):
        page = browser_of(rights=["view_registration", "correct_address"])
        page_of_rows = reverse("admin:registrations_registration_changelist")
        data = {"action": "address_action", "index": "0", "_selected_action": story.pk}

        asked = page.post(page_of_rows, data).content.decode()
        page.post(page_of_rows, {**data, "email": "camille@example.org", "reason": "moved", "confirmed": "1"})

        assert "C. M. – " in asked
        assert "Camille" not in asked
        row = Registration.objects.get(pk=story.pk)
        assert (row.name, row.email) == ("Camille Martin", "camille@example.org")
        change = row.order.changes.get(field="email")
        assert (change.before, change.after) == (BUYER, "camille@example.org")
        assert "…" not in change.source

    def test_leaves_what_somebody_has_typed_on_the_form(self, story):
        page = browser_of(rights=["view_moduleaccess", "grant_access", "view_module"])
        answer = page.post(reverse("admin:modules_access_moduleaccess_add"), {"email": "nobody@example.org"})

        assert 'value="nobody@example.org"' in answer.content.decode()
