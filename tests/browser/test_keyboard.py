import pytest

from tests.browser.checkout_page import ASKS_THE_BANK, WORKS
from tests.browser.keyboard import Keyboard


class TestKeyboard:
    def test_is_all_that_one_needs_to_buy(self, buyer, activity):
        keyboard = Keyboard(buyer.page)
        buyer.open("/")
        keyboard.presses(buyer.link("Skip to the content"))
        keyboard.presses(buyer.link(activity.title))
        buyer.sees(activity.title)
        keyboard.types(buyer.field("Your name"), buyer.name)
        keyboard.types(buyer.field("Your e-mail address"), buyer.email)
        keyboard.presses(buyer.button("Pay %(amount)s", amount=buyer.amount(4900)))

        checkout = buyer.arrives_to_pay()
        for label, value in {"Name": "Ada Lovelace", "Postal code": "69001", "City": "Lyon"}.items():
            keyboard.types(buyer.field(label), value)
        keyboard.goes_to(checkout.method(WORKS))
        buyer.page.keyboard.press("ArrowDown")
        assert checkout.method(ASKS_THE_BANK).is_checked()
        keyboard.presses(checkout.button())
        buyer.sees("Your bank asks: is it you?")
        keyboard.presses(buyer.button("Complete authentication"))

        buyer.comes_back_confirmed()
        keyboard.presses(buyer.link("Receipt for your payment"))
        buyer.reads("Total paid")

    @pytest.mark.parametrize("language", ["en"])
    def test_leads_from_a_problem_to_the_field_that_has_it(self, buyer, activity):
        keyboard = Keyboard(buyer.page)
        buyer.open(f"/activities/{activity.slug}/")
        with buyer.being_refused(400):
            keyboard.presses(buyer.button("Pay %(amount)s", amount=buyer.amount(4900)))
            buyer.sees("There is a problem")

        keyboard.presses(buyer.link("Please enter your name."))
        buyer.page.keyboard.type("Ada")

        assert buyer.field("Your name").input_value() == "Ada"
