import pytest
from django.conf import settings
from django.utils import translation
from playwright.sync_api import expect

from config.rate_limit import sentence
from registrations.links import page_path


class TestErrorPages:
    def test_404_leads_back_to_the_start(self, buyer):
        for address in ("/activities/nothing/", "/registrations/forged:token/", "/nowhere"):
            with buyer.being_refused(404):
                buyer.open(address)
            buyer.sees("There is nothing at this address.")
        buyer.examines()

        buyer.follow("Back to the start page")

        buyer.sees("Upcoming activities")

    def test_404_is_the_receipt_of_what_was_not_paid(self, buyer, activity):
        buyer.goes_to_pay(activity)

        with buyer.being_refused(404):
            buyer.open(f"{page_path(buyer.registration())}receipt/")

        buyer.sees("There is nothing at this address.")

    def test_429_says_when_to_come_back(self, buyer, activity):
        for _try in range(settings.STRIPE_RATE_LIMIT_MAX):
            buyer.goes_to_pay(activity)
        buyer.fills_in(activity)

        with buyer.being_refused(429):
            buyer.press("Pay %(amount)s", amount=buyer.amount(4900))
            expect(buyer.page.locator("[role=alert] h2")).to_contain_text(self.tried_too_often(buyer.language))
        expect(buyer.field("Your e-mail address")).to_have_value(buyer.email)
        buyer.examines()

    def tried_too_often(self, language: str) -> str:
        """As far as the number of minutes, which depends on how fast this machine is."""
        with translation.override(language):
            return sentence(15 * 60).partition("15")[0]

    def test_403_says_how_to_send_an_old_form_once_more(self, buyer, activity):
        buyer.fills_in(activity)
        buyer.context.clear_cookies()

        with buyer.being_refused(403):
            buyer.press("Pay %(amount)s", amount=buyer.amount(4900))
            buyer.sees("This form has expired. Go back, load the page again and send it once more.")
        buyer.examines()


class TestForms:
    def test_that_are_not_filled_in_say_what_is_missing(self, buyer, activity):
        buyer.open(f"/activities/{activity.slug}/")
        buyer.fill("Your e-mail address", "ada")

        with buyer.being_refused(400):
            buyer.press("Pay %(amount)s", amount=buyer.amount(4900))
            buyer.sees("There is a problem")

        buyer.reads("Please enter your name.")
        buyer.reads("Please enter a complete e-mail address, such as name@example.com.")
        buyer.examines()

    def test_of_somebody_who_is_registered_already_say_so(self, buyer, activity):
        buyer.buys(activity)
        buyer.fills_in(activity)

        with buyer.being_refused(409):
            buyer.press("Pay %(amount)s", amount=buyer.amount(4900))
            buyer.sees("You are registered already")
        buyer.examines()


class TestLanguage:
    @pytest.mark.parametrize(
        ("language", "other", "heading"),
        [("fr", "English", "Upcoming activities"), ("en", "Français", "Activités à venir")],
    )
    def test_can_be_chosen_on_every_page(self, buyer, language, other, heading):
        buyer.open("/")

        buyer.page.get_by_role("button", name=other, exact=True).click()

        buyer.page.get_by_role("heading", name=heading, exact=True).wait_for()
