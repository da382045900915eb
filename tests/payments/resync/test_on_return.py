from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from payments.billing.models import Subscription
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.ledger.models import EventSource, PaymentEvent
from payments.orders.models import CheckoutAttempt, Order
from payments.resync import on_return
from payments.resync.on_return import ALERT_INTERVAL, EVENT_DELAY, PATIENCE, ask_on_return
from payments.stripe_api import lookups
from payments.subscribing import subscribe
from tests.support import buyers
from tests.support.emulated_payments import OWNER, SEPA_SUCCEEDS
from tests.support.mails import english_in, read
from tests.support.resync import heard, sold
from tests.support.subscriber import make_plans, make_user, pay, unreachable

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(registration):
    """Somebody with an open session of €49.00."""
    return sold(registration)


@pytest.fixture
def questions(monkeypatch):
    """The sessions about which Stripe was asked."""
    asked, real = [], lookups.look_up_session

    def look_up_session(name):
        asked.append(name)
        return real(name)

    monkeypatch.setattr(lookups, "look_up_session", look_up_session)
    return asked


def now():
    """It stands still while a test runs."""
    return datetime.now(UTC)


def ask(buyer, *, after=timedelta(0)):
    return ask_on_return(session=buyer.session, at=now() + after)


class TestAskOnReturn:
    def test_confirms_at_once_what_was_paid_and_not_told(self, buyer):
        buyer.pay()

        assert ask(buyer)

        buyer.registration.refresh_from_db()
        assert (Order.objects.get().status, buyer.registration.status) == ("PAID", "PAID")

    def test_learns_that_a_debit_is_under_way(self, buyer):
        debit = {"type": "sepa_debit", "sepa_debit": {"iban": SEPA_SUCCEEDS}, "billing_details": OWNER}
        buyer.pay(buyer.stripe.v1.payment_methods.create(debit).id)

        ask(buyer)

        assert Order.objects.get().status == "PROCESSING"

    def test_begins_the_subscription_that_was_bought(self):
        monthly, _yearly = make_plans()
        pay(subscribe(user=make_user(), plan=monthly, at=now()))

        ask_on_return(session=CheckoutAttempt.objects.get().session, at=now())

        assert (Order.objects.get().status, Subscription.objects.get().status) == ("PAID", "active")

    def test_changes_nothing_while_nobody_has_paid(self, buyer):
        assert not ask(buyer)

        assert Order.objects.get().status == "PENDING"
        assert not Effect.objects.filter(kind=on_return.ALERT_KIND).exists()

    def test_asks_rarer_and_rarer_however_often_the_page_is_refreshed(self, buyer, questions):
        for second in range(0, 3600, 2):
            ask(buyer, after=timedelta(seconds=second))

        assert len(questions) == len(PATIENCE)

    def test_asks_once_for_many_pages_of_one_moment(self, buyer, questions):
        for _ in range(5):
            ask(buyer)

        assert len(questions) == 1

    def test_breaks_no_page_when_stripe_does_not_answer(self, buyer, monkeypatch):
        buyer.pay()

        with unreachable(monkeypatch):
            assert not ask(buyer)

        assert ask(buyer, after=timedelta(seconds=PATIENCE[1]))
        assert Order.objects.get().status == "PAID"

    def test_asks_nothing_about_a_session_that_nobody_knows(self, questions):
        assert not ask_on_return(session="cs_test_other", at=now())
        assert questions == []


class TestWebhooksAreSilent:
    def delivered(self, *, after=EVENT_DELAY):
        deliver_all(clock=lambda: now() + after)
        return [message for message in mail.outbox if "webhooks" in message.subject]

    @pytest.fixture(autouse=True)
    def in_english(self, settings):
        settings.LANGUAGE_CODE = "en"
        settings.STRIPE_ALERT_EMAIL = ["staff@example.com"]

    def test_is_told_to_staff_with_the_page_that_helps(self, buyer, settings):
        buyer.pay()
        ask(buyer)

        [message] = self.delivered()

        number = Order.objects.get().number
        assert message.subject == f"Stripe’s webhooks do not arrive: order {number} was confirmed by asking"
        assert f"In the admin: {settings.SITE_URL}/admin/payments/paymentevent/" in message.body
        assert message.to == ["staff@example.com"]

    def test_is_french_throughout(self, buyer, settings):
        settings.LANGUAGE_CODE = "fr"
        buyer.pay()
        ask(buyer)

        [message] = self.delivered()

        assert english_in(" ".join([message.subject, *read(message)])) == []

    def test_gives_the_event_some_minutes(self, buyer):
        buyer.pay()
        ask(buyer)

        assert self.delivered(after=EVENT_DELAY / 2) == []

    def test_is_not_told_where_the_event_came_after_all(self, buyer):
        buyer.pay()
        ask(buyer)
        heard()

        assert self.delivered() == []
        assert Effect.objects.get(kind=on_return.ALERT_KIND).outcome == "The event has come meanwhile."

    def test_is_told_although_a_back_fill_has_found_the_event(self, buyer):
        buyer.pay()
        ask(buyer)
        heard()
        PaymentEvent.objects.update(source=EventSource.BACKFILL)

        assert len(self.delivered()) == 1

    def test_is_told_although_an_earlier_decline_was(self, buyer):
        buyer.pay("pm_card_chargeDeclinedInsufficientFunds")
        heard()
        buyer.pay()
        ask(buyer)

        assert len(self.delivered()) == 1

    def test_is_told_once_an_hour(self, make_registration, time_machine):
        for name in ("Alex Smith", "Sam Jones"):
            buyer = sold(make_registration(name))
            buyers.pays(buyer)
            ask(buyer)

        assert len(self.delivered()) == 1

        time_machine.move_to(now() + ALERT_INTERVAL + EVENT_DELAY * 2, tick=False)
        late = sold(make_registration("Late Comer"))
        late.pay()
        ask(late)
        assert len(self.delivered()) == 2
