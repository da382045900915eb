"""Payments of subscriptions that fail, and what comes of it."""

import pytest

from stripe_emulator import timers
from stripe_emulator.models import Event
from tests.support.billing import (
    DAY,
    DECLINED,
    HOUR,
    IBAN_THAT_FAILS,
    IBAN_THAT_PAYS,
    MINUTE,
    advance_past,
    customer_with,
    debit_of,
    invoices_of,
    subscribe,
    types_since,
)


def changes_card(api, customer, method):
    """From now on the customer pays invoices with this one."""
    attached = api.payment_methods.attach(method, {"customer": customer.id})
    api.customers.update(customer.id, {"invoice_settings": {"default_payment_method": attached.id}})


class TestFailingRenewal:
    @pytest.fixture
    def past_due(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        changes_card(stripe_api, customer, DECLINED)
        advance_past(stripe_api, made)
        return made

    def test_makes_it_past_due_and_plans_the_next_try(self, stripe_api, past_due):
        invoice = invoices_of(stripe_api, past_due)[-1]

        assert stripe_api.subscriptions.retrieve(past_due.id).status == "past_due"
        assert (invoice.status, invoice.attempt_count) == ("open", 1)
        assert invoice.next_payment_attempt == invoice.created + HOUR + 3 * DAY
        assert types_since()[-2:] == ["invoice.payment_failed", "customer.subscription.updated"]

    def test_recovers_at_the_next_try_with_another_card(self, stripe_api, past_due, customer):
        changes_card(stripe_api, customer, "pm_card_visa")

        timers.advance(3 * DAY)

        invoice = invoices_of(stripe_api, past_due)[-1]
        assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("paid", 2, None)
        assert stripe_api.subscriptions.retrieve(past_due.id).status == "active"

    def test_recovers_when_the_invoice_is_paid_by_hand(self, stripe_api, past_due):
        invoice = invoices_of(stripe_api, past_due)[-1]

        paid = stripe_api.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})

        assert (paid.status, paid.attempt_count) == ("paid", 1)
        assert stripe_api.subscriptions.retrieve(past_due.id).status == "active"
        timers.advance(4 * DAY)
        assert invoices_of(stripe_api, past_due)[-1].attempt_count == 1

    def test_ends_it_after_the_last_try(self, stripe_api, past_due):
        timers.advance((3 + 5 + 7) * DAY + HOUR)

        ended = stripe_api.subscriptions.retrieve(past_due.id)
        invoice = invoices_of(stripe_api, past_due)[-1]
        assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
        assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 4, None)
        failures = Event.objects.filter(type="invoice.payment_failed").order_by("number")
        days = [(each.created - failures[0].created) // DAY for each in failures]
        assert days == [0, 3, 8, 15]
        assert types_since()[-1] == "customer.subscription.deleted"
        assert timers.advance(60 * DAY) == 0

    def test_by_hand_does_not_change_what_is_planned(self, stripe_api, past_due):
        before = invoices_of(stripe_api, past_due)[-1]

        with pytest.raises(Exception, match="declined"):
            stripe_api.invoices.pay(before.id)

        after = stripe_api.invoices.retrieve(before.id)
        assert (after.attempt_count, after.next_payment_attempt) == (1, before.next_payment_attempt)

    def test_without_any_method_fails_too(self, stripe_api, price):
        nobody = stripe_api.customers.create({})
        made = subscribe(stripe_api, nobody, price, trial_period_days=7)

        timers.advance(7 * DAY + 2 * HOUR)

        assert stripe_api.subscriptions.retrieve(made.id).status == "past_due"
        assert "payment_intent.payment_failed" not in types_since()


class TestFirstPayment:
    @pytest.fixture
    def incomplete(self, stripe_api, price):
        return subscribe(stripe_api, customer_with(stripe_api, DECLINED), price)

    def test_that_never_comes_ends_it(self, stripe_api, incomplete):
        timers.advance(23 * HOUR + MINUTE)

        ended = stripe_api.subscriptions.retrieve(incomplete.id)
        assert (ended.status, invoices_of(stripe_api, incomplete)[0].status) == ("incomplete_expired", "void")
        assert "customer.subscription.deleted" not in types_since()

    def test_that_comes_in_time_begins_it(self, stripe_api, incomplete):
        stripe_api.invoices.pay(incomplete.latest_invoice, {"payment_method": "pm_card_visa"})

        timers.advance(24 * HOUR)

        assert stripe_api.subscriptions.retrieve(incomplete.id).status == "active"

    def test_by_a_debit_counts_while_it_is_under_way(self, stripe_api, customer, price):
        account = debit_of(stripe_api, customer, IBAN_THAT_PAYS)
        made = subscribe(stripe_api, customer, price, default_payment_method=account)
        assert made.status == "active"
        assert invoices_of(stripe_api, made)[0].status == "open"

        timers.advance(14 * DAY)

        assert invoices_of(stripe_api, made)[0].status == "paid"

    def test_by_a_debit_that_comes_back_makes_it_past_due(self, stripe_api, customer, price):
        account = debit_of(stripe_api, customer, IBAN_THAT_FAILS)
        made = subscribe(stripe_api, customer, price, default_payment_method=account)

        timers.advance(2 * DAY)

        invoice = invoices_of(stripe_api, made)[0]
        assert stripe_api.subscriptions.retrieve(made.id).status == "past_due"
        assert (invoice.status, invoice.attempt_count) == ("open", 1)
        assert invoice.next_payment_attempt is not None
