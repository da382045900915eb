"""A visitor who works here: signs in to the admin and gives money back."""

from django.urls import reverse
from playwright.sync_api import expect

from payments.orders.models import Order
from tests.browser.visitor import Visitor
from tests.support.factories import make_staff


class Staff(Visitor):
    """May do everything."""

    def signs_in(self) -> None:
        """As somebody new."""
        user = make_staff()
        self.open(reverse("admin:login"))
        self.page.locator("[name=username]").fill(user.email)
        self.page.locator("[name=password]").fill("password")
        self.page.locator("[type=submit]").click()
        expect(self.page.locator("#user-tools")).to_be_visible()

    def refunds(self, order: Order, *, amount: str = "") -> None:
        """By the button of the order's page; empty: all that is left."""
        self.open(reverse("admin:payments_order_change", args=[order.pk]))
        self.press("Refund…")
        expect(self.page.get_by_text("Kept with what happens now, for whoever asks later.")).to_have_count(1)
        self.page.locator("[name=amount]").fill(amount)
        self.page.locator("[name=reason]").fill("Fell ill")
        self.press("Refund now")
        expect(self.page.locator(".messagelist .success")).to_be_visible()

    def decides(self, button: str, *, reason: str) -> None:
        """A button of the page in front, and the page that asks why."""
        self.press(button)
        self.page.locator("[name=reason]").fill(reason)
        self.page.locator("[name=confirmed]").click()
        expect(self.page.locator(".messagelist .success")).to_be_visible()
