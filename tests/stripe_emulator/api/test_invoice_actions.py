"""What is done with invoices through the official client."""

import stripe

from stripe_emulator import timers
from stripe_emulator.models import Event
from tests.support.billing import (
    ASKS,
    DAY,
    DECLINED,
    IBAN_THAT_FAILS,
    debit_of,
    draft_for,
    open_for,
    types_since,
)
from tests.support.emulator import refusal_of

HOUR = 3600


class TestPay:
    def test_pays_with_the_customer_s_method(self, stripe_api, customer):
        paid = stripe_api.invoices.pay(draft_for(stripe_api, customer).id, {"expand": ["payments"]})

        (payment,) = paid.payments.data
        assert (paid.status, paid.amount_paid, paid.amount_remaining, paid.attempt_count) == ("paid", 2000, 0, 1)
        assert (payment.status, payment.amount_paid) == ("paid", 2000)
        assert types_since(of="invoice")[-3:] == ["invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"]

    def test_keeps_the_way_to_the_money(self, stripe_api, customer):
        paid = stripe_api.invoices.pay(draft_for(stripe_api, customer).id)

        event = Event.objects.get(type="invoice.paid")
        assert set(event.hidden) >= {"payment_intent", "charge"}
        (payment,) = stripe_api.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": event.hidden["payment_intent"]}}
        ).data
        assert payment.invoice == paid.id

    def test_keeps_what_a_declined_card_has_done(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)

        refusal = refusal_of(stripe_api.invoices.pay, opened.id, {"payment_method": DECLINED})

        after = stripe_api.invoices.retrieve(opened.id)
        assert isinstance(refusal, stripe.CardError)
        assert (after.status, after.attempt_count, after.attempted) == ("open", 1, True)
        assert types_since()[-1] == "invoice.payment_failed"

    def test_can_be_tried_again_after_a_decline(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)
        refusal_of(stripe_api.invoices.pay, opened.id, {"payment_method": DECLINED})

        assert stripe_api.invoices.pay(opened.id).status == "paid"

    def test_waits_for_a_customer_who_has_to_authenticate(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)

        refusal = refusal_of(stripe_api.invoices.pay, opened.id, {"payment_method": ASKS})

        assert isinstance(refusal, stripe.CardError)
        assert refusal.code == "invoice_payment_intent_requires_action"
        assert types_since()[-1] == "invoice.payment_action_required"

    def test_may_have_happened_elsewhere(self, stripe_api, customer):
        paid = stripe_api.invoices.pay(open_for(stripe_api, customer).id, {"paid_out_of_band": True})

        assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 0, 2000)
        assert "invoice.payment_succeeded" not in types_since()

    def test_is_refused_for_what_is_paid(self, stripe_api, customer):
        paid = stripe_api.invoices.pay(draft_for(stripe_api, customer).id)

        refusal = refusal_of(stripe_api.invoices.pay, paid.id)

        assert "already paid" in refusal.user_message

    def test_is_refused_without_a_method(self, stripe_api):
        nobody = stripe_api.customers.create({})

        refusal = refusal_of(stripe_api.invoices.pay, open_for(stripe_api, nobody).id)

        assert refusal.code == "resource_missing"

    def test_follows_an_intent_that_the_client_confirms(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)
        (payment,) = stripe_api.invoice_payments.list({"invoice": opened.id}).data

        stripe_api.payment_intents.confirm(payment.payment.payment_intent, {"payment_method": "pm_card_visa"})

        assert stripe_api.invoices.retrieve(opened.id).status == "paid"
        assert stripe_api.invoice_payments.retrieve(payment.id).status == "paid"

    def test_by_a_debit_that_comes_back_fails_later(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)
        account = debit_of(stripe_api, customer, IBAN_THAT_FAILS)
        assert stripe_api.invoices.pay(opened.id, {"payment_method": account}).status == "open"

        timers.advance(14 * DAY)

        assert stripe_api.invoices.retrieve(opened.id).status == "open"
        assert types_since()[-1] == "invoice.payment_failed"


class TestVoid:
    def test_ends_the_invoice_and_its_intent(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)

        voided = stripe_api.invoices.void_invoice(opened.id)

        (payment,) = stripe_api.invoice_payments.list({"invoice": opened.id}).data
        intent = stripe_api.payment_intents.retrieve(payment.payment.payment_intent)
        assert (voided.status, payment.status) == ("void", "canceled")
        assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
        assert types_since()[-1] == "invoice.voided"

    def test_is_refused_for_a_draft_and_what_is_paid(self, stripe_api, customer):
        draft = draft_for(stripe_api, customer)
        assert refusal_of(stripe_api.invoices.void_invoice, draft.id).code == "invoice_not_editable"

        stripe_api.invoices.pay(draft.id)

        assert refusal_of(stripe_api.invoices.void_invoice, draft.id).code == "invoice_not_editable"


class TestMarkUncollectible:
    def test_still_lets_it_be_paid(self, stripe_api, customer):
        given_up = stripe_api.invoices.mark_uncollectible(open_for(stripe_api, customer).id)
        assert given_up.status == "uncollectible"

        assert stripe_api.invoices.pay(given_up.id).status == "paid"

    def test_is_refused_for_a_draft(self, stripe_api, customer):
        refusal = refusal_of(stripe_api.invoices.mark_uncollectible, draft_for(stripe_api, customer).id)

        assert refusal.code == "invoice_not_editable"


class TestSend:
    def test_finalizes_and_sends(self, stripe_api, customer):
        draft = draft_for(stripe_api, customer, collection_method="send_invoice", days_until_due=7)

        sent = stripe_api.invoices.send_invoice(draft.id)

        assert (sent.status, sent.due_date) == ("open", draft.created + 7 * DAY)
        assert types_since()[-1] == "invoice.sent"

    def test_is_refused_for_what_is_charged(self, stripe_api, customer):
        refusal = refusal_of(stripe_api.invoices.send_invoice, draft_for(stripe_api, customer).id)

        assert "send_invoice" in refusal.user_message
