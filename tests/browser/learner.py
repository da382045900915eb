"""A visitor with an account, who buys modules and opens them."""

import re

from django.contrib.auth.hashers import make_password
from django.utils import timezone, translation
from django.utils.translation import ngettext, pgettext
from playwright.sync_api import Locator, expect

from accounts.models import User
from modules_access.models import Module
from tests.browser.mailbox import links_in
from tests.browser.member import PASSWORD, Member

ENCOURS = re.compile(r"/encours/(\?.*)?$")


class Learner(Member):
    """Everybody here has an account from the start."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.user = User.objects.create(
            email=self.email, name=self.name, language=self.language, password=make_password(PASSWORD),
            email_confirmed_at=timezone.now(),
        )  # fmt: skip

    def signs_in_here(self) -> None:
        """On the page of the sign-in, to which they were led."""
        self.fill("Your e-mail address", self.email)
        self.fill("Your password", PASSWORD)
        self.press("Sign in")

    def goes_to_buy(self, module: Module) -> None:
        """As far as Stripe's page."""
        self.open(f"/modules/{module.slug}/")
        self.press("Pay %(amount)s", amount=self.amount(module.price))

    def buys_module(self, module: Module) -> None:
        """All the way, with a card that works, until it can be opened."""
        self.goes_to_buy(module)
        self.arrives_to_pay().pays()
        self.open_button(module).wait_for()
        expect(self.page).to_have_url(ENCOURS)

    def open_button(self, module: Module) -> Locator:
        with translation.override(self.language):
            word = pgettext("button", "Open")
        return self.page.get_by_role("button", name=f"{word} – {module.title}", exact=True)

    def pay_button(self, text: str, module: Module) -> Locator:
        """Of a purchase that waits."""
        words = self.words(text, amount=self.amount(module.price))
        return self.page.get_by_role("button", name=f"{words} – {module.title}", exact=True)

    def comes_in(self, module: Module) -> None:
        """Into the demo room, where a module has its token verified."""
        self.open_button(module).click()
        self.sees("Come in, %(name)s", name=self.email)

    def plural(self, one: str, many: str, **values: int) -> str:
        """The text as this person reads it; the first number decides."""
        with translation.override(self.language):
            return ngettext(one, many, next(iter(values.values()))) % values

    def is_told_of(self, subject: str, module: Module) -> list[str]:
        """Wait for this mail about the module; the addresses in it."""
        return links_in(self.mails.wait_for(self.words(subject, title=module.title)))
