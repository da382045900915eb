"""A visitor with an account, who subscribes."""

import re

from playwright.sync_api import expect

from tests.browser.buyer import Buyer
from tests.browser.mailbox import links_in

PASSWORD = "un long chemin vers Lyon"
ACCOUNT = re.compile(r"/account/(\?.*)?$")


class Member(Buyer):
    """Everybody here has an address of their own."""

    def asks_for_an_account(self) -> None:
        """As far as the mail."""
        self.open("/account/sign-up/")
        self.signs_up()

    def signs_up(self) -> None:
        """On the page for it, as far as the mail."""
        self.examines()
        self.fill("Your name", self.name)
        self.fill("Your e-mail address", self.email)
        self.press("Create an account")
        self.sees("Please look at your e-mails")
        self.examines()

    def chooses_a_password(self) -> None:
        """By the link of the mail, which confirms the address; it leads to the account."""
        self.confirms()
        self.sees("Your account")

    def confirms(self) -> None:
        """By the link of the mail, and a password."""
        [link] = links_in(self.mails.wait_for(self.words("Confirm your e-mail address")))
        self.open(link)
        self.sees("Choose your password")
        self.examines()
        self.fill("Your new password", PASSWORD)
        self.fill("Confirm password", PASSWORD)
        self.press("Save and sign in")

    def signs_in(self) -> None:
        """With the password that they have chosen."""
        self.open("/account/sign-in/")
        self.examines()
        self.fill("Your e-mail address", self.email)
        self.fill("Your password", PASSWORD)
        self.press("Sign in")
        self.sees("Your account")

    def subscribes(self) -> None:
        """To the first plan, with a card that works."""
        self.open("/plans/")
        self.examines()
        self.page.locator("main form button").first.click()
        self.pays_for_the_plan()

    def pays_for_the_plan(self) -> None:
        """At Stripe, with a card that works; then the account says so."""
        self.arrives_to_pay().fills_in("4242424242424242")
        self.press("Subscribe")
        self.arrives_at_account("Thank you: your subscription has begun.")

    def agrees_to_the_sum(self) -> int:
        """Presses the button that names what is charged today. Returns that in minor units."""
        button = self.page.locator("main form button").first
        euros, cents = re.findall(r"\d+", button.inner_text())
        button.click()
        return int(euros) * 100 + int(cents)

    def arrives_at_account(self, told: str) -> None:
        """Back on the account's page, which says what has happened."""
        expect(self.page).to_have_url(ACCOUNT)
        self.reads(told)
