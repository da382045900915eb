from io import StringIO

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from payments.processing.drain import drain
from registrations.links import page_url, receipt_url
from registrations.models import Registration
from registrations.services.staff_actions import end_holds
from tests.browser.buyer import let_time_pass
from tests.browser.checkout_page import ASKS_THE_BANK, TOO_POOR, CheckoutPage
from tests.support.road import event_of, keep


class TestPaying:
    def test_leads_from_the_catalogue_to_a_place_a_receipt_and_a_mail(self, buyer, activity):
        buyer.open("/")
        buyer.examines()
        buyer.follow(activity.title)
        buyer.sees(activity.title)
        buyer.examines()

        checkout = buyer.goes_to_pay(activity)
        buyer.examines()
        checkout.pays()

        # Stripe's news may be slower than the buyer: then the page looks again by itself.
        buyer.sees("Your place is confirmed")
        buyer.examines()
        buyer.follow("Receipt for your payment")
        buyer.reads("Total paid")
        buyer.examines()
        links = buyer.is_told("Your place is confirmed: %(title)s", activity)
        registration = buyer.registration()
        assert links == [page_url(registration), receipt_url(registration)], "not the browser's own: they end first"
        for link, words in zip(links, ["Your place is confirmed", "Total paid"], strict=True):
            buyer.open(link)
            buyer.reads(words)

    def test_goes_on_after_a_declined_card(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.is_declined(TOO_POOR)
        buyer.examines()
        checkout.goes_back()
        buyer.comes_back_to("Your payment did not go through")
        buyer.reads("There is not enough money in the account for this payment.")
        buyer.examines()

        buyer.press("Try again: pay %(amount)s", amount=buyer.amount(4900))
        again = buyer.arrives_to_pay()
        again.pays()

        buyer.comes_back_confirmed()
        assert again.session == checkout.session
        buyer.is_told("Your payment did not go through: %(title)s", activity)

    def test_goes_on_after_a_bank_that_was_not_answered(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.pays(ASKS_THE_BANK)
        buyer.sees("Your bank asks: is it you?")
        buyer.examines()
        buyer.follow("Abandon and go back to the payment")
        buyer.arrives_to_pay().goes_back()
        buyer.comes_back_to("Your bank asks you to confirm the payment")
        buyer.examines()

        again = buyer.goes_on_to_pay(activity)
        again.pays()

        buyer.comes_back_confirmed()
        assert again.session == checkout.session

    def test_goes_on_after_a_bank_that_said_no(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.pays(ASKS_THE_BANK)
        with buyer.being_refused(402):
            buyer.press("Fail authentication")
            buyer.sees("There is a problem")

        checkout.pays(ASKS_THE_BANK)
        buyer.press("Complete authentication")

        buyer.comes_back_confirmed()

    def test_goes_on_after_a_change_of_mind(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)
        checkout.goes_back()
        buyer.sees("Your registration waits for your payment")
        buyer.reads("Nothing has been charged so far.")
        buyer.examines()

        again = buyer.goes_on_to_pay(activity)
        again.pays()

        buyer.comes_back_confirmed()
        assert again.url == checkout.url


class TestExpiry:
    def test_of_the_session_frees_the_place_and_lets_one_begin_anew(self, buyer, make_activity):
        activity = make_activity(capacity=1)
        checkout = buyer.goes_to_pay(activity)

        let_time_pass("35m")

        with buyer.being_refused(410):
            buyer.page.reload()
            buyer.sees("This page has expired")
        buyer.examines()
        buyer.follow("Back to the seller")
        buyer.comes_back_to("Your registration has expired")
        buyer.examines()
        buyer.is_told("Your registration has expired: %(title)s", activity)
        buyer.follow("Register again")
        buyer.sees("Register")
        assert buyer.goes_to_pay(activity).session != checkout.session

    def test_that_stripe_did_not_tell_is_found_by_the_clean_up(self, buyer, enter, make_activity):
        activity = make_activity(capacity=1)
        buyer.goes_to_pay(activity)
        self.let_the_hold_end(buyer.registration())

        call_command("cleanup_expired", stdout=StringIO())

        with buyer.being_refused(410):
            buyer.page.reload()
            buyer.sees("This page has expired")
        enter().buys(activity)

    def let_the_hold_end(self, registration: Registration) -> None:
        """Nobody can turn the site's own clock: it is that of the machine."""
        with transaction.atomic():
            end_holds([registration], at=timezone.now())


class TestSoldOut:
    def test_while_filling_in_charges_nothing_and_offers_the_waiting_list(self, buyer, enter, make_activity):
        activity = make_activity(capacity=1)
        buyer.fills_in(activity)
        enter().goes_to_pay(activity)

        with buyer.being_refused(409):
            buyer.press("Pay %(amount)s", amount=buyer.amount(4900))
            buyer.sees("The last place has just been taken")
        buyer.examines()
        buyer.press("Join the waiting list")

        buyer.is_asked_to_confirm_the_waiting_list(activity)

    def test_while_waiting_on_the_payment_page_charges_nothing(self, buyer, enter, make_activity):
        activity = make_activity(capacity=1)
        buyer.goes_to_pay(activity)
        let_time_pass("35m")
        with buyer.being_refused(410):
            buyer.page.reload()
            buyer.sees("This page has expired")
        buyer.follow("Back to the seller")
        buyer.comes_back_to("Your registration has expired")

        enter().buys(activity)
        buyer.follow("Register again")

        buyer.sees("All places are taken")

    def test_at_the_moment_of_paying_is_told_and_the_money_is_safe(self, buyer, enter, make_activity):
        activity = make_activity(capacity=1)
        checkout = buyer.goes_to_pay(activity)
        self.hears_too_early_of_the_end(buyer.registration(), checkout)
        enter().buys(activity)

        checkout.pays()

        buyer.comes_back_to("We have your payment, but no place is left")
        buyer.examines()
        buyer.is_told("Your payment arrived, but no place is left: %(title)s", activity)

    def hears_too_early_of_the_end(self, registration: Registration, checkout: CheckoutPage) -> None:
        """The session is said to be over although one can still pay in it, as when money takes the last second."""
        now = timezone.now()
        over = event_of(registration, "checkout.session.expired", at=now, subject={"session": checkout.session})
        keep(over, at=now)
        drain()
