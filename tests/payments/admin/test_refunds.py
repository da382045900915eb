"""Refund from an order's page: a question first, then one effect, however often the button is pressed."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import translation

from payments.effects.models import Effect
from payments.orders.models import Order
from tests.support.pages import text_of
from tests.support.refunds import pay
from tests.support.road import event_of, hear

LIST = reverse("admin:payments_order_changelist")


@pytest.fixture
def order(registration) -> Order:
    return pay(registration)


@pytest.fixture
def looker(clerk):
    """May look at orders, and not refund."""
    clerk.user_permissions.add(Permission.objects.get(codename="view_order"))
    return clerk


def choose(page, *orders, **fields):
    """What the browser sends from the order's page, and, with `confirmed`, from the page between."""
    return page.post(
        LIST, {"action": "refund", "_selected_action": [order.pk for order in orders], **fields}, follow=True
    )


def press(page, order, **fields):
    shown = re.search(r'name="preview_token" value="([^"]+)"', choose(page, order).content.decode())
    assert shown
    return choose(page, order, **{"confirmed": "Refund now", "preview_token": shown[1], "reason": "kindness", **fields})


def own_page(order):
    return reverse("admin:payments_order_change", args=[order.pk])


def refunds():
    return list(Effect.objects.filter(kind="refund").order_by("pk").values_list("data__amount", flat=True))


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


class TestQuestion:
    def test_says_what_will_happen_and_does_nothing(self, page, order):
        content = choose(page, order).content.decode()

        assert f"Refund {order.number}?" in content
        assert "€49.00 is refunded to the original payment method" in content
        assert "Amount in EUR" in content
        assert refunds() == []

    @pytest.mark.parametrize("amount", ["49.01", "0", "-3", "1.005", "much"])
    def test_comes_again_with_what_is_wrong_about_the_amount(self, page, order, amount):
        response = press(page, order, amount=amount)

        assert "errorlist" in response.content.decode()
        assert refunds() == []

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_comes_again_without_a_reason(self, page, order, reason):
        response = press(page, order, reason=reason)

        assert "errorlist" in response.content.decode()
        assert refunds() == []

    def test_is_not_asked_where_nothing_is_left(self, page, registration, order):
        hear(event_of(registration, "refund.created"))

        assert messages_of(choose(page, order)) == [f"Nothing of {order.number} is left to refund."]

    def test_is_asked_about_one_order_at_a_time(self, page, order, make_registration):
        other = pay(make_registration("Alex Smith"))

        assert "choose one" in messages_of(choose(page, order, other))[0]


class TestPreview:
    """What comes of it once Stripe has made it: asked for and told, both rolled back."""

    def test_of_everything_shows_the_order_and_the_place(self, page, order):
        text = text_of(choose(page, order)).replace("\N{NO-BREAK SPACE}", " ")

        assert "Refund of €49.00 of the payment" in text
        assert "Status Paid Refunded" in text
        assert "Place held free" in text
        assert "E-mail to camille.martin@example.com" in text
        assert "re_preview" not in text
        assert (refunds(), Order.objects.get().status) == ([], "PAID")

    def test_of_a_part_is_shown_for_who_looks(self, page, order):
        response = choose(page, order, look="x", amount="12.50", preview_token="0:4900", reason="")

        text = text_of(response).replace("\N{NO-BREAK SPACE}", " ")
        assert "Refund of €12.50 of the payment" in text
        assert "Status Paid Refunded" not in text
        assert "errorlist" not in response.content.decode()
        assert refunds() == []


class TestRefund:
    def test_of_everything_is_asked_for_with_reason_and_name(self, page, staff, order):
        response = press(page, order)

        [effect] = Effect.objects.filter(kind="refund")
        assert (effect.data["amount"], effect.data["reason"], effect.data["by"]) == (None, "kindness", staff.email)
        assert response.redirect_chain[-1][0] == own_page(order)
        assert "has been asked for" in messages_of(response)[0]
        assert f"{staff.email}: kindness" in response.content.decode()

    @pytest.mark.parametrize("amount", ["12.50", "12,50"])
    def test_of_a_part_is_counted_in_minor_units(self, page, order, amount):
        press(page, order, amount=amount)

        assert refunds() == [1250]

    def test_pressed_twice_happens_once(self, page, order):
        first = {"confirmed": "Refund now", "preview_token": "0:4900", "reason": "kindness", "amount": "40"}

        choose(page, order, **first)
        response = choose(page, order, **first)

        assert refunds() == [4000]
        assert messages_of(response) == ["This refund has been asked for already: nothing happens twice."]

    def test_is_refused_when_something_has_happened_since(self, page, registration, order):
        hear(event_of(registration, "refund.created", amount=900))

        response = choose(page, order, confirmed="Refund now", preview_token="0:4900", reason="kindness", amount="45")

        assert refunds() == []
        assert "look at it again" in messages_of(response)[0]

    def test_never_happens_by_get(self, page, order):
        data = {
            "action": "refund",
            "_selected_action": order.pk,
            "confirmed": "x",
            "preview_token": "0:4900",
            "reason": "link",
        }

        page.get(LIST, data)

        assert refunds() == []

    def test_needs_a_right_of_its_own(self, client, looker, order):
        client.force_login(looker)

        choose(client, order, confirmed="Refund now", preview_token="0:4900", reason="kindness")

        assert refunds() == []

    def test_is_offered_to_those_who_may_and_while_money_is_left(self, page, client, looker, registration, order):
        button = 'name="action" value="refund"'
        client.force_login(looker)
        assert button in page.get(own_page(order)).content.decode()
        assert button not in client.get(own_page(order)).content.decode()

        hear(event_of(registration, "refund.created"))

        assert button not in page.get(own_page(order)).content.decode()


class TestChargeback:
    def test_keeps_the_money_from_going_back_twice(self, page, registration, order):
        hear(event_of(registration, "charge.dispute.created"))

        assert "because of a dispute" in messages_of(choose(page, order))[0]


class TestOfASubscription:
    """One of its payments is chosen: `in_ada`."""

    ADDRESS = reverse("admin:payments_subscription_changelist")

    def choose(self, page, row, **fields):
        data = {"action": "refund_subscription_action", "_selected_action": row.pk, **fields}
        return page.post(self.ADDRESS, data, follow=True)

    def press(self, page, row, **fields):
        told = {"confirmed": "x", "preview_token": "0:400", "reason": "kindness", "payment": "in_ada", **fields}
        return self.choose(page, row, **told)

    def test_shows_its_payments_and_does_nothing(self, page, subscription):
        content = self.choose(page, subscription).content.decode()

        assert "Refund sub_ada?" in content
        assert "in_ada: €4.00 left, paid on" in content
        assert "The subscription goes on" in content
        assert refunds() == []

    def test_is_asked_for_with_reason_and_name(self, page, staff, subscription):
        response = self.press(page, subscription, amount="1.50")

        [effect] = Effect.objects.filter(kind="refund")
        assert (effect.subscription, effect.data["amount"]) == (subscription, 150)
        assert f"{staff.email}: kindness" in response.content.decode()

    def test_pressed_twice_happens_once(self, page, subscription):
        self.press(page, subscription)
        response = self.press(page, subscription)

        assert refunds() == [None]
        assert messages_of(response) == ["This refund has been asked for already: nothing happens twice."]

    @pytest.mark.parametrize("wrong", [{"amount": "4.01"}, {"payment": "in_other"}, {"payment": ""}, {"reason": ""}])
    def test_comes_again_with_what_is_wrong(self, page, subscription, wrong):
        response = self.press(page, subscription, **wrong)

        assert "errorlist" in response.content.decode()
        assert refunds() == []

    def test_is_offered_while_money_is_left(self, page, subscription):
        button = 'value="refund_subscription_action"'
        address = reverse("admin:payments_subscription_change", args=[subscription.pk])
        assert button in page.get(address).content.decode()

        subscription.payments.update(refunded=400)

        assert button not in page.get(address).content.decode()

    def test_needs_a_right_of_its_own(self, client, clerk, subscription):
        clerk.user_permissions.add(Permission.objects.get(codename="view_subscription"))
        client.force_login(clerk)

        self.press(client, subscription)

        assert refunds() == []


class TestOrderInYen:
    def test_has_no_decimals(self, page, registration):
        Order.objects.update(currency="jpy")
        order = pay(registration)
        order.payments.update(currency="jpy", received=4900)

        assert "errorlist" in press(page, order, amount="12.5").content.decode()
        press(page, order, amount="12")

        assert refunds() == [12]


class TestInFrench:
    def test_takes_the_comma(self, page, order):
        with translation.override("fr"):
            response = page.post(
                LIST,
                {"action": "refund", "_selected_action": order.pk, "confirmed": "x", "preview_token": "0:4900",
                 "reason": "geste", "amount": "12,50"},
                headers={"accept-language": "fr"},
            )  # fmt: skip

        assert (response.status_code, refunds()) == (302, [1250])
