"""A visitor who wants a place: with a name, an address and a mail box."""

import re
from io import StringIO
from itertools import count

from django.core.management import call_command
from django.utils import timezone, translation

from payments.money import format_amount
from registrations.models import Activity, Registration
from registrations.services.waiting_list import offer_places
from tests.browser.checkout_page import CheckoutPage
from tests.browser.mailbox import Mailbox, links_in
from tests.browser.visitor import Visitor

OWN_PAGE = re.compile(r"/registrations/[^/]+/(\?.*)?$")
_numbers = count(1)


class Buyer(Visitor):
    """Fills in the public forms under a name of their own."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        number = next(_numbers)
        self.name, self.email = f"Ada Lovelace {number}", f"ada{number}@example.com"
        self.mails = Mailbox(self.site.mails, self.email)

    def amount(self, minor: int) -> str:
        """As the site writes amounts for this person."""
        with translation.override(self.language):
            return format_amount(minor, "eur")

    def fills_in(self, activity: Activity) -> None:
        """Open the activity's page and write who they are."""
        self.open(f"/activities/{activity.slug}/")
        self.fill("Your name", self.name)
        self.fill("Your e-mail address", self.email)

    def goes_to_pay(self, activity: Activity) -> CheckoutPage:
        """Register, as far as Stripe's page."""
        self.fills_in(activity)
        self.press("Pay %(amount)s", amount=self.amount(activity.price))
        return self.arrives_to_pay()

    def goes_on_to_pay(self, activity: Activity) -> CheckoutPage:
        """From the own page back to Stripe's."""
        self.press("Go on and pay %(amount)s", amount=self.amount(activity.price))
        return self.arrives_to_pay()

    def arrives_to_pay(self) -> CheckoutPage:
        """Wherever the way to Stripe's page began."""
        return CheckoutPage(self)

    def comes_back_to(self, heading: str) -> None:
        """From Stripe to the own page; who does not like to wait for what it will say looks again by hand."""
        self.page.wait_for_url(OWN_PAGE)
        self.looks_until(heading)

    def comes_back_confirmed(self) -> None:
        """The usual end."""
        self.comes_back_to("Your place is confirmed")

    def buys(self, activity: Activity) -> None:
        """All the way, with a card that works."""
        self.goes_to_pay(activity).pays()
        self.comes_back_confirmed()

    def joins_the_waiting_list(self, activity: Activity) -> None:
        """Of an activity that is full; the link in the mail makes it count."""
        self.fills_in(activity)
        self.press("Join the waiting list")
        self.is_asked_to_confirm_the_waiting_list(activity)

    def is_asked_to_confirm_the_waiting_list(self, activity: Activity) -> None:
        """By mail; the link in it makes the entry count."""
        self.sees("Please check your e-mails")
        [link] = self.is_told("Please confirm your place on the waiting list: %(title)s", activity)
        self.open(link)
        self.press("Join the waiting list")
        self.sees("You are on the waiting list")

    def is_offered_a_place(self, activity: Activity) -> list[str]:
        """As the timetable does it every minute; the addresses in the mail that tells so."""
        offer_places(at=timezone.now())
        return self.is_told("A place is free for you: %(title)s", activity)

    def registration(self) -> Registration:
        """The newest one, as it is now."""
        rows = Registration.objects.select_related("order", "activity").filter(email=self.email)
        return rows.latest("pk")

    def is_told(self, subject: str, activity: Activity) -> list[str]:
        """Wait for this mail about the activity; the addresses in it."""
        return links_in(self.mails.wait_for(self.words(subject, title=activity.title)))


def let_time_pass(span: str) -> None:
    """At Stripe, as a developer would: the emulator's clock goes forward, and what falls due is told to the site."""
    call_command("stripe_emulator", "advance", span, "--until-quiet", stdout=StringIO())
