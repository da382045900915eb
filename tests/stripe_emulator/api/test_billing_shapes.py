"""Subscriptions, invoices and what belongs to them have the pinned shape."""

import pytest
import stripe

from tests.support.billing import DECLINED, price_of, stored, subscribe
from tests.support.emulator import refusal_of
from tests.support.stripe_shapes import assert_pinned_shape

OF_OLDER_VERSIONS = {"subscription", "payment_intent", "charge", "paid", "payments", "tax"}


@pytest.fixture
def item(stripe_api, customer):
    return stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})


class TestSubscription:
    @pytest.mark.parametrize("params", [{}, {"trial_period_days": 14}, {"cancel_at_period_end": True}])
    def test_is_the_pinned_one(self, stripe_api, customer, params):
        made = subscribe(stripe_api, customer, price_of(stripe_api), **params)

        assert_pinned_shape(stored(made.id), stripe.Subscription)
        assert "current_period_end" not in stored(made.id)

    def test_stays_so_when_it_is_paused(self, stripe_api):
        settings = {"end_behavior": {"missing_payment_method": "pause"}}
        nobody = stripe_api.customers.create({})
        made = subscribe(stripe_api, nobody, price_of(stripe_api), trial_period_days=7, trial_settings=settings)

        stripe_api.subscriptions.update(made.id, {"trial_end": "now"})

        assert_pinned_shape(stored(made.id), stripe.Subscription)


class TestInvoice:
    def test_of_a_subscription_is_the_pinned_one(self, stripe_api, customer):
        made = subscribe(stripe_api, customer, price_of(stripe_api))

        invoice = stored(made.latest_invoice)
        assert_pinned_shape(invoice, stripe.Invoice)
        assert not OF_OLDER_VERSIONS & set(invoice)

    def test_by_hand_is_the_pinned_one_in_every_state(self, stripe_api, customer, item):
        made = stripe_api.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
        assert_pinned_shape(stored(made.id), stripe.Invoice)

        refusal_of(stripe_api.invoices.pay, made.id, {"payment_method": DECLINED})
        assert_pinned_shape(stored(made.id), stripe.Invoice)

        stripe_api.invoices.void_invoice(made.id)
        assert_pinned_shape(stored(made.id), stripe.Invoice)

    def test_shows_no_secret_while_it_is_a_draft(self, stripe_api, customer):
        made = stripe_api.invoices.create({"customer": customer.id, "expand": ["confirmation_secret"]})

        assert made.confirmation_secret is None


class TestWhatBelongsToIt:
    def test_is_the_pinned_one(self, stripe_api, customer, item):
        made = stripe_api.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
        stripe_api.invoices.pay(made.id)

        (payment,) = stripe_api.invoice_payments.list({"invoice": made.id}).data
        assert_pinned_shape(stored(item.id), stripe.InvoiceItem)
        assert_pinned_shape(stored(payment.id), stripe.InvoicePayment)
