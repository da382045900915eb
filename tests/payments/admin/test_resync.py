"""Comparing with Stripe: asked for, shown, then done with a reason and only if it is still what was shown."""

import json
import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from payments.billing.models import Customer, Payment, Subscription
from payments.orders.models import Order, OrderChange
from payments.resync import resync as module
from payments.stripe_api import gateway as stripe_client
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from tests.properties.memberships.life import Life
from tests.support.emulator import official_client
from tests.support.pages import text_of
from tests.support.resync import all_rows, differences, heard, sold
from tests.support.road import NOON, event_of, hear


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch, settings):
    """The gateway's clients speak to the emulator, which answers in the same thread and in no language of its own."""
    settings.LANGUAGE_CODE = "en"
    emulator = official_client()
    for name in ("_made", "_made_in_a_hurry"):
        monkeypatch.setattr(stripe_client, name, lambda key, base: emulator)


@pytest.fixture
def order(registration):
    """Paid at Stripe, which nobody has told us."""
    sold(registration).pay()
    return registration.order


@pytest.fixture
def life():
    """Has subscribed at Stripe, and we have heard of it."""
    life = Life()
    life.checks_out()
    heard()
    return life


def choose(page, row, **fields):
    """What the browser sends from the row's page, and, with `confirmed`, from the page between."""
    name = row._meta.model_name
    address = reverse(f"admin:payments_{name}_changelist")
    return page.post(address, {"action": f"resync_{name}_action", "_selected_action": row.pk, **fields}, follow=True)


def shown_by(response):
    """What the page binds itself to."""
    return unescape(re.search(r'name="preview_token" value="([^"]+)"', response.content.decode())[1])


def press(page, row, **fields):
    shown = shown_by(choose(page, row))
    return choose(page, row, **{"confirmed": "x", "preview_token": shown, "reason": "a missing webhook", **fields})


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


class TestQuestion:
    def test_shows_here_and_at_stripe_and_changes_nothing(self, page, order):
        before = all_rows()

        text = text_of(choose(page, order))

        assert f"Put {order.number} right?" in text
        assert "Waiting for payment Paid" in text
        assert "Received €0.00 €49.00" in text
        assert "Asked of Stripe:" in text
        assert "E-mail to camille.martin@example.com: “" in text
        assert differences(before, all_rows()) == []

    def test_is_not_asked_where_nothing_differs(self, page, order):
        heard()

        response = choose(page, order)

        assert "What stands here is what Stripe says." in text_of(response)
        assert 'name="confirmed"' not in response.content.decode()

    def test_is_asked_about_a_doubt_although_nothing_differs(self, page, life):
        Subscription.objects.update(needs_resync=True, has_conflict=True)

        press(page, Subscription.objects.get())

        assert not Subscription.objects.get().needs_resync

    def test_comes_again_without_a_reason(self, page, order):
        response = press(page, order, reason=" ")

        assert "errorlist" in response.content.decode()
        assert json.loads(shown_by(response)).keys() == {order.number}
        assert Order.objects.get().status == "PENDING"

    def test_says_what_stripe_does_not_know(self, page, order):
        order.checkouts.update(session="cs_test_lost")
        order.references.all().delete()
        Payment.objects.all().delete()

        text = text_of(choose(page, order))

        assert "Stripe does not know cs_test_lost." in text
        assert "Nothing can be put right" in text
        assert "Nothing differs" not in text

    def test_says_of_what_a_sample_event_has_made_up_that_it_has(self, page, registration):
        hear(event_of(registration, "payment_intent.succeeded"))
        order = Order.objects.get()

        text = text_of(choose(page, order))

        name = order.payments.get().key
        assert f"Stripe does not know {name}: a sample event (manage.py send_event) has made it up." in text
        assert "Nothing differs" not in text

    def test_says_that_nothing_was_asked_where_there_is_nothing_to_ask_about(self, page, registration):
        text = text_of(choose(page, registration.order))

        assert f"Stripe was not asked: {registration.order.number}" in text
        assert "no payment page and no payment about which Stripe could be asked" in text
        assert "Nothing differs" not in text

    def test_shows_of_a_customer_what_differs_and_nothing_else(self, page, life):
        Payment.objects.update(received=100)

        text = text_of(choose(page, Customer.objects.get()))

        assert "right?" in text
        assert "Nothing differs" not in text

    def test_is_asked_about_one_at_a_time(self, page, order, make_registration):
        other = make_registration("Alex Smith").order
        data = {"action": "resync_order_action", "_selected_action": [order.pk, other.pk]}

        response = page.post(reverse("admin:payments_order_changelist"), data, follow=True)

        assert "choose one" in messages_of(response)[0]

    def test_is_never_asked_by_looking_at_a_page(self, page, order, monkeypatch):
        monkeypatch.setattr(stripe_client, "_made_in_a_hurry", None)
        monkeypatch.setattr(stripe_client, "_made", None)

        assert page.get(reverse("admin:payments_order_change", args=[order.pk])).status_code == 200


class TestResync:
    def test_puts_an_order_right_and_keeps_who_and_why(self, page, staff, order):
        response = press(page, order)

        order.refresh_from_db()
        assert order.status == "PAID"
        assert "put right" in messages_of(response)[0]
        sources = set(OrderChange.objects.filter(order=order, field="status").values_list("source", flat=True))
        assert sources == {f"resync: {staff.email}: a missing webhook"}

    def test_puts_a_subscription_right(self, page, life):
        Payment.objects.update(received=100)

        press(page, Subscription.objects.get())

        assert Payment.objects.get().received == 400

    def test_puts_a_person_right_with_all_that_is_theirs(self, page, life):
        Customer.objects.update(city="Nowhere", located_at=NOON)
        Subscription.objects.update(status="paused")

        text = text_of(choose(page, Customer.objects.get()))
        press(page, Customer.objects.get())

        assert "Nowhere" in text
        assert "Paused Active" in text
        assert (Customer.objects.get().city, Subscription.objects.get().status) == ("Lyon", "active")

    def test_puts_a_person_right_of_whom_no_address_is_known(self, page, life):
        Customer.objects.update(email="", city="Nowhere", located_at=NOON)

        press(page, Customer.objects.get())

        assert Customer.objects.get().city == "Lyon"

    def test_pressed_twice_says_that_nothing_differs_any_more(self, page, order):
        shown = shown_by(choose(page, order))
        told = {"confirmed": "x", "preview_token": shown, "reason": "a missing webhook"}

        choose(page, order, **told)
        response = choose(page, order, **told)

        assert messages_of(response) == ["Nothing differs any more."]

    def test_is_refused_when_reality_has_moved(self, page, life):
        Payment.objects.update(received=100)
        row = Subscription.objects.get()
        shown = shown_by(choose(page, row))
        Payment.objects.update(received=200)

        response = choose(page, row, confirmed="x", preview_token=shown, reason="a missing webhook")

        assert "has changed since" in messages_of(response)[0]
        assert "€2.00 €4.00" in text_of(response)
        assert Payment.objects.get().received == 200

    @pytest.mark.parametrize("shown", ["", "x", "[]", "{}", '{"O-000001": "0"}', '{"O-000001": ["0", 1, []]}'])
    def test_trusts_no_sign_but_its_own(self, page, order, shown):
        choose(page, order, confirmed="x", preview_token=shown, reason="a missing webhook")

        assert Order.objects.get().status == "PENDING"

    def test_never_happens_by_get(self, page, order):
        shown = shown_by(choose(page, order))
        data = {"action": "resync_order_action", "_selected_action": order.pk, "confirmed": "x", "preview_token": shown}

        page.get(reverse("admin:payments_order_changelist"), {**data, "reason": "link"})

        assert Order.objects.get().status == "PENDING"


class TestStripe:
    @pytest.mark.parametrize(
        ("trouble", "words"),
        [
            (GatewayUnavailable("no answer"), "Stripe does not answer"),
            (GatewayRefused(code="x", message="No such key."), "Stripe has refused to tell: No such key."),
            (module.KeepsMoving("O-000001"), "is changing at this very moment"),
        ],
        ids=str,
    )
    def test_that_does_not_tell_leaves_everything_as_it_is(self, page, order, monkeypatch, trouble, words):
        def silent(**_told):
            raise trouble

        monkeypatch.setattr(module, "state_of_order", silent)
        before = all_rows()

        response = choose(page, order)

        assert words in messages_of(response)[0]
        assert response.redirect_chain[-1][0] == reverse("admin:payments_order_change", args=[order.pk])
        assert differences(before, all_rows()) == []

    def test_is_asked_in_a_hurry(self, page, order, monkeypatch):
        monkeypatch.setattr(stripe_client, "_made", None)

        assert "Put" in text_of(choose(page, order))


class TestRight:
    @pytest.fixture
    def looker(self, clerk):
        """May look at everything here, and not resync."""
        names = ("view_order", "view_subscription", "view_customer")
        clerk.user_permissions.add(*Permission.objects.filter(codename__in=names))
        return clerk

    def test_is_one_of_its_own(self, client, looker, life):
        client.force_login(looker)
        for row in (life.orders[0], Subscription.objects.get(), Customer.objects.get()):
            address = reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk])
            assert f"resync_{row._meta.model_name}_action" not in client.get(address).content.decode()
            assert "Asked of Stripe:" not in text_of(choose(client, row))

    def test_brings_the_button(self, client, looker, life):
        rights = Permission.objects.filter(codename__in=["resync_subscription", "resync_customer"])
        looker.user_permissions.add(*rights)
        client.force_login(looker)

        for row in (Subscription.objects.get(), Customer.objects.get()):
            address = reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk])
            assert f'value="resync_{row._meta.model_name}_action"' in client.get(address).content.decode()
