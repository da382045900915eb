"""The emulator's own pages: what a buyer can meet there, and the console."""

from stripe_emulator.models import Event


class TestCheckoutPage:
    def test_says_what_is_missing(self, buyer, activity):
        checkout = buyer.goes_to_pay(activity)

        with buyer.being_refused(422):
            checkout.button().click()
            buyer.sees("There is a problem")

        buyer.reads("Enter your name.")
        buyer.examines()

    def test_of_an_unknown_session_says_so(self, buyer, site):
        with buyer.being_refused(404):
            buyer.open(f"{site.emulator.url}/pay/cs_test_nothing")

        buyer.sees("There is no such page")
        buyer.examines()


class TestConsole:
    def test_shows_everything_at_a_glance(self, buyer, activity, site):
        buyer.goes_to_pay(activity).pays()
        buyer.comes_back_confirmed()

        buyer.open(f"{site.emulator.url}/")

        buyer.sees("Sessions")
        buyer.examines(quotes_stripe=True)

    def test_shows_an_object_and_its_event(self, buyer, activity, site):
        session = buyer.goes_to_pay(activity).session

        buyer.open(f"{site.emulator.url}/objects/{session}")
        buyer.sees("As the API shows it")
        buyer.examines(quotes_stripe=True)
        event = Event.objects.latest("number").stripe_id
        buyer.open(f"{site.emulator.url}/events/{event}")
        buyer.sees("Attempts")
        buyer.examines(quotes_stripe=True)

    def test_says_that_there_is_nothing(self, buyer, site):
        with buyer.being_refused(404):
            buyer.open(f"{site.emulator.url}/objects/pi_nothing")

        buyer.sees("Nothing here")
        buyer.examines(quotes_stripe=True)
