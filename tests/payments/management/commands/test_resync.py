"""`manage.py resync`: what people and machines read, and what becomes of a name that nobody here knows."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from payments.billing.models import Customer, Payment, Subscription
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.stripe_api.lookups import ThrottledStripe
from tests.properties.memberships.life import Life
from tests.support.resync import heard, sold
from tests.support.road import event_of, hear
from tests.support.subscriber import emulate


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch):
    monkeypatch.setitem(ThrottledStripe.__init__.__kwdefaults__, "calls_per_second", 1_000_000.0)
    emulate(monkeypatch)


@pytest.fixture
def life():
    return Life()


@pytest.fixture
def paid(registration):
    """Paid at Stripe, and nobody has told us."""
    buyer = sold(registration)
    buyer.pay()
    return buyer


def told(*arguments):
    out = io.StringIO()
    call_command("resync", *arguments, stdout=out)
    return out.getvalue()


class TestResync:
    def test_says_what_differs_first_and_in_english(self, paid, make_registration):
        same = sold(make_registration("Alex Smith")).registration.order

        with translation.override("fr"):
            text = told("order", same.number, paid.registration.order.number)

        assert text.index("status: PENDING → PAID") < text.index("Nothing differs.")

    def test_does_not_say_that_nothing_differs_where_nothing_was_asked(self, registration):
        text = told("order", registration.order.number)

        assert "Stripe was not asked: there is no Checkout session and no payment to ask about." in text
        assert "Nothing differs" not in text

    def test_says_of_what_a_sample_event_has_made_up_that_it_has(self, registration):
        hear(event_of(registration, "payment_intent.succeeded"))

        text = told("order", registration.order.number)

        name = Payment.objects.get().key
        assert f"Stripe does not know {name}: a sample event has made it up (send_event)." in text
        assert "Nothing differs" not in text

    def test_tells_machines_whether_stripe_was_asked(self, registration):
        [done] = json.loads(told("order", registration.order.number, "--json"))["done"]

        assert (done["was_asked"], done["refusal"]) == (False, "")

    def test_is_refused_without_a_key(self, paid, settings):
        settings.STRIPE_SECRET_KEY = ""

        with pytest.raises(CommandError, match="STRIPE_SECRET_KEY is not set"):
            told("order", paid.registration.order.number)


class TestUnknownSubscription:
    def test_is_taken_in_where_it_is_ours(self, life):
        life.checks_out()

        told("subscription", life.subscription)

        assert Subscription.objects.get().status == "active"
        assert Payment.objects.get().received == 400
        assert Subscription.objects.get().order == Order.objects.get()

    def test_is_taken_in_by_its_price(self, life):
        life.is_subscribed()

        assert "active" in told("subscription", life.subscription)

    def test_is_only_shown_in_a_dry_run(self, life):
        life.checks_out()

        assert "active" in told("subscription", life.subscription, "--dry-run")
        assert not Subscription.objects.exists()

    def test_is_left_alone_with_the_reason_where_it_is_not_ours(self, life):
        life.price("monthly")
        price = life.priced("tea", 900).id
        life.is_subscribed("tea")

        with pytest.raises(CommandError, match=rf"none of ours: neither its price \({price}\) nor its customer"):
            told("subscription", life.subscription)
        assert not Subscription.objects.exists()

    def test_that_stripe_does_not_know_either_is_an_error(self):
        with pytest.raises(CommandError, match="sub_nobody: neither here nor at Stripe"):
            told("subscription", "sub_nobody")

    def test_that_is_known_here_only_is_told_of(self):
        Subscription.objects.create(stripe_id="sub_lost")

        assert "Stripe does not know sub_lost." in told("subscription", "sub_lost")


class TestUnknownOrder:
    def test_is_found_by_a_session_that_nobody_here_knows(self, paid):
        CheckoutAttempt.objects.update(session="")
        Reference.objects.filter(name__startswith="cs_").delete()

        assert "status: PENDING → PAID" in told("order", paid.session)

    def test_is_found_by_a_payment_that_nobody_here_knows(self, paid):
        intent = paid.stripe.v1.checkout.sessions.retrieve(paid.session).payment_intent

        assert "status: PENDING → PAID" in told("order", intent)

    def test_is_missed_by_a_session_of_an_order_that_is_gone(self, paid):
        public_id = str(paid.registration.order.public_id)
        paid.registration.delete()
        Order.objects.all().delete()

        with pytest.raises(CommandError, match=f"Stripe knows it, but what it names is not here: {public_id}"):
            told("order", paid.session)

    def test_has_no_payment_of_another_product(self, paid):
        tea = paid.stripe.v1.payment_intents.create({"amount": 900, "currency": "eur"}).id

        with pytest.raises(CommandError, match="Stripe knows it, but it names no order of ours"):
            told("order", tea)

    @pytest.mark.parametrize("name", ["cs_test_nobody", "pi_nobody"])
    def test_that_stripe_does_not_know_either_is_an_error(self, name):
        with pytest.raises(CommandError, match=f"{name}: neither here nor at Stripe"):
            told("order", name)

    @pytest.mark.parametrize("name", ["O-999999", "", "nonsense"])
    def test_is_no_order(self, name):
        with pytest.raises(CommandError, match="no order goes by that name"):
            told("order", name)


class TestUnknownPerson:
    def subscribes(self, life, slug="monthly", email="Ada@Example.com"):
        life.is_known_at_stripe()
        life.api.customers.update(life.customer, {"email": email})
        life.is_subscribed(slug)

    def test_is_taken_in_with_the_subscriptions_that_are_ours(self, life):
        self.subscribes(life)

        told("person", "Ada@Example.com")

        assert (Subscription.objects.get().status, Customer.objects.get().email) == ("active", "ada@example.com")

    def test_is_left_alone_where_nothing_is_ours(self, life):
        life.price("monthly")
        life.priced("tea", 900)
        self.subscribes(life, "tea")

        with pytest.raises(CommandError, match=f"Stripe knows {life.customer}, but no subscription of theirs is ours"):
            told("person", "Ada@Example.com")

    @pytest.mark.parametrize("email", ["nobody@example.com", "", "nobody"])
    def test_that_stripe_does_not_know_either_is_an_error(self, email):
        with pytest.raises(CommandError, match="nobody has that address, neither here nor at Stripe"):
            told("person", email)

    def test_is_not_asked_about_where_known(self, paid):
        heard()

        assert "Nothing differs." in told("person", paid.registration.email)
