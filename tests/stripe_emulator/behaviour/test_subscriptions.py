"""Subscriptions that begin with a payment made elsewhere, as Checkout does."""

import pytest

from stripe_emulator import clock, store, timers
from stripe_emulator.behaviour import payment_intents, payment_methods, subscriptions
from stripe_emulator.models import Event
from tests.support.billing import DAY, customer_with, last_event, price_of, types_since

NEEDS_CUSTOMER_ONCE, NEEDS_CUSTOMER_ALWAYS = "pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequired"
HOUR = 3600


@pytest.fixture
def customer(stripe_api):
    return store.get("customer", customer_with(stripe_api).id)


def paid_intent(customer, amount: int):
    """Somebody has paid so much already."""
    at = clock.now_for(customer)
    method = payment_methods.get_or_create("pm_card_visa", at=at)
    payment_methods.attach(method, customer, at)
    intent = payment_intents.create_intent(at, amount=amount, currency="eur", customer=customer.stripe_id)
    payment_intents.confirm(intent, method, at=at)
    return intent


def invoice_of(subscription):
    return store.get("invoice", subscription.data["latest_invoice"])


class TestStart:
    @pytest.fixture
    def started(self, stripe_api, customer):
        intent = paid_intent(customer, 3000)
        rows = [{"price": price_of(stripe_api).id, "quantity": 2}]
        self.before = last_event()
        return subscriptions.create_subscription(
            customer=customer,
            items=rows,
            at=clock.now_for(customer),
            metadata={"order": "7"},
            intent=intent,
            default_payment_method=intent.data["payment_method"],
            session_id="cs_test_1",
        )

    def test_is_active_at_once_and_its_invoice_paid(self, started):
        invoice = invoice_of(started)

        assert (started.data["status"], invoice.data["status"], invoice.data["amount_paid"]) == ("active", "paid", 3000)
        assert invoice.data["parent"]["subscription_details"]["metadata"] == {"order": "7"} == started.data["metadata"]

    def test_tells_no_second_payment(self, started):
        assert types_since(self.before) == [
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]
        assert Event.objects.get(type="customer.subscription.created").object["status"] == "active"

    def test_ties_intent_charge_and_invoice(self, started):
        invoice = invoice_of(started)

        intent = store.get("payment_intent", invoice.hidden["payment_intent"])
        charge = store.get("charge", invoice.hidden["charge"])
        assert intent.hidden["invoice"] == charge.hidden["invoice"] == invoice.stripe_id
        assert charge.stripe_id == intent.data["latest_charge"]

    def test_renews_with_the_same_method(self, started):
        timers.advance(32 * DAY)

        started.refresh_from_db()
        assert invoice_of(started).data["billing_reason"] == "subscription_cycle"
        assert invoice_of(started).data["status"] == "paid"

    def test_bills_once_what_is_paid_once(self, stripe_api, customer):
        product = stripe_api.products.create({"name": "Badge"})
        badge = stripe_api.prices.create({"product": product.id, "unit_amount": 500, "currency": "eur"})
        rows = [{"price": price_of(stripe_api).id, "quantity": 1}, {"price": badge.id, "quantity": 2}]

        started = subscriptions.create_subscription(customer=customer, items=rows, at=clock.now_for(customer))

        assert invoice_of(started).data["amount_paid"] == 2500
        assert started.data["items"]["total_count"] == 1

    def test_lives_in_the_time_of_its_parent(self, stripe_api, customer):
        timers.advance(100 * DAY)
        rows = [{"price": price_of(stripe_api).id, "quantity": 1}]

        started = subscriptions.create_subscription(
            customer=customer, items=rows, at=clock.now_for(customer), parent=customer
        )

        assert started.ahead == customer.ahead == invoice_of(started).ahead
        assert started.data["created"] == invoice_of(started).data["created"]


class TestCancelAtPeriodEnd:
    def test_is_told_with_what_was_different(self, stripe_api, customer):
        rows = [{"price": price_of(stripe_api).id, "quantity": 1}]
        started = subscriptions.create_subscription(customer=customer, items=rows, at=clock.now_for(customer))

        subscriptions.cancel_at_period_end(started, at=clock.now_for(started))

        event = Event.objects.order_by("number").last()
        assert event.type == "customer.subscription.updated"
        assert event.previous["cancel_at_period_end"] is False


class TestAuthentication:
    def begin_with(self, stripe_api, alias: str):
        """A subscription whose customer has answered the question of the first payment."""
        customer = store.get("customer", customer_with(stripe_api, alias).id)
        rows = [{"price": price_of(stripe_api).id, "quantity": 1}]
        started = subscriptions.create_subscription(customer=customer, items=rows, at=clock.now_for(customer))
        intent = store.get("payment_intent", invoice_of(started).hidden["payment_intent"])
        payment_intents.authenticate(intent, at=clock.now_for(intent), succeeded=True)
        started.refresh_from_db()
        return started

    def test_of_the_first_payment_begins_it(self, stripe_api):
        started = self.begin_with(stripe_api, NEEDS_CUSTOMER_ALWAYS)

        assert started.data["status"] == "active"
        assert invoice_of(started).data["status"] == "paid"

    def test_is_asked_again_for_a_renewal_of_such_a_card(self, stripe_api):
        started = self.begin_with(stripe_api, NEEDS_CUSTOMER_ALWAYS)
        before = last_event()

        timers.advance(31 * DAY + 2 * HOUR)

        started.refresh_from_db()
        assert started.data["status"] == "past_due"
        assert "invoice.payment_action_required" in types_since(before)

    def test_counts_for_renewals_of_a_card_that_was_set_up(self, stripe_api):
        started = self.begin_with(stripe_api, NEEDS_CUSTOMER_ONCE)

        timers.advance(31 * DAY + 2 * HOUR)

        started.refresh_from_db()
        assert started.data["status"] == "active"
        assert invoice_of(started).data["status"] == "paid"
