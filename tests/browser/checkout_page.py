"""Stripe's page on which a buyer pays, played by the emulator."""

import re
from typing import TYPE_CHECKING

from django.utils import translation
from playwright.sync_api import Locator, expect

from stripe_emulator.pages.common import localized_amount

if TYPE_CHECKING:
    from tests.browser.visitor import Visitor

ADDRESS = re.compile(r"/pay/(cs_test_\w+)$")
WORKS, DECLINED, TOO_POOR = "4242424242424242", "4000000000000002", "4000000000009995"
ASKS_THE_BANK = "4000002500003155"
DEBIT_WORKS, DEBIT_FAILS = "FR1420041010050500013M02606", "FR8420041010050500013M02607"


class CheckoutPage:
    """Made once the visitor has arrived there. `session`: the id of what is paid."""

    def __init__(self, visitor: "Visitor") -> None:
        self.visitor = visitor
        expect(visitor.page).to_have_url(ADDRESS)
        self.url = visitor.page.url
        found = ADDRESS.search(self.url)
        assert found
        self.session = found[1]

    def fills_in(self, method: str) -> None:
        """Name and address as a card needs them, and which card or account."""
        for label, value in {"Name": "Ada Lovelace", "Postal code": "69001", "City": "Lyon"}.items():
            self.visitor.fill(label, value)
        self.method(method).check()

    def pays(self, method: str = WORKS) -> None:
        """Fill in and press the button; where that leads is not waited for."""
        self.fills_in(method)
        self.button().click()

    def is_declined(self, method: str = DECLINED) -> None:
        """Pay with a card that does not work, and be told so on the same page."""
        with self.visitor.being_refused(402):
            self.pays(method)
            self.visitor.sees("There is a problem")

    def method(self, number: str) -> Locator:
        """The choice of a card or account."""
        return self.visitor.page.locator(f'input[name="method"][value="{number}"]')

    def button(self, amount: int = 4900) -> Locator:
        with translation.override(self.visitor.language):
            shown = localized_amount(amount, "eur")
        return self.visitor.button("Pay %(amount)s", amount=shown)

    def goes_back(self) -> None:
        """Change one's mind: to the own page at the seller's."""
        self.visitor.follow("Cancel and go back")
