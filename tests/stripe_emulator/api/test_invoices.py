"""Invoices, their payments and items through the official client."""

import pytest
import stripe

from stripe_emulator import timers
from stripe_emulator.models import Event, StoredObject
from tests.support.billing import (
    ASKS,
    DAY,
    DECLINED,
    IBAN_THAT_FAILS,
    debit_of,
    draft_for,
    open_for,
    price_of,
    subscribe,
    types_since,
)
from tests.support.emulator import official_client, refusal_of

HOUR = 3600


class TestCreate:
    def test_takes_what_waits_when_asked(self, stripe_api, customer):
        made = draft_for(stripe_api, customer, 2000, 500, description="Spring", metadata={"order": "7"})

        assert (made.status, made.total, made.amount_due, made.currency) == ("draft", 2500, 2500, "eur")
        assert [line.amount for line in made.lines.data] == [2000, 500]
        assert (made.description, made.customer_email) == ("Spring", "ada@example.com")
        assert not StoredObject.objects.filter(kind="invoiceitem", data__invoice=None).exists()

    def test_leaves_what_waits_otherwise(self, stripe_api, customer):
        stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})

        made = stripe_api.invoices.create({"customer": customer.id})

        assert (made.total, made.lines.data) == (0, [])

    def test_of_older_versions_takes_it_anyway(self, stripe_api, customer):
        stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})

        made = official_client(version="2020-08-27").v1.invoices.create({"customer": customer.id})

        assert made.total == 2000

    @pytest.mark.parametrize(
        ("params", "code", "param"),
        [
            ({}, "parameter_missing", "customer"),
            ({"customer": "cus_unknown"}, "resource_missing", "customer"),
            ({"collection_method": "pigeon"}, None, "collection_method"),
            ({"collection_method": "send_invoice"}, "parameter_missing", "days_until_due"),
            ({"currency": "zzz"}, None, "currency"),
            ({"subscription": "sub_unknown"}, None, "subscription"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, customer, params, code, param):
        usual = {"customer": customer.id} if params else {}

        refusal = refusal_of(stripe_api.invoices.create, {**usual, **params})

        assert (refusal.code, refusal.param) == (code, param)


class TestFinalize:
    def test_gives_a_number_an_address_and_an_intent(self, stripe_api, customer, settings):
        first, second = open_for(stripe_api, customer), open_for(stripe_api, customer)

        prefix = stripe_api.customers.retrieve(customer.id).invoice_prefix
        assert (first.number, second.number) == (f"{prefix}-0001", f"{prefix}-0002")
        assert first.hosted_invoice_url.startswith(settings.STRIPE_EMULATOR_URL)
        (payment,) = stripe_api.invoice_payments.list({"invoice": first.id}).data
        assert (payment.status, payment.amount_requested, payment.amount_paid) == ("open", 2000, None)

    def test_is_refused_twice(self, stripe_api, customer):
        refusal = refusal_of(stripe_api.invoices.finalize_invoice, open_for(stripe_api, customer).id)

        assert "already finalized" in refusal.user_message

    def test_of_nothing_pays_it(self, stripe_api, customer):
        made = stripe_api.invoices.create({"customer": customer.id})

        assert stripe_api.invoices.finalize_invoice(made.id).status == "paid"

    def test_collects_at_once_what_advances_by_itself(self, stripe_api, customer):
        made = draft_for(stripe_api, customer, auto_advance=True)

        assert stripe_api.invoices.finalize_invoice(made.id).status == "paid"

    def test_happens_by_itself_after_an_hour(self, stripe_api, customer):
        made = draft_for(stripe_api, customer, auto_advance=True)
        assert made.automatically_finalizes_at == made.created + HOUR

        timers.advance(HOUR + 60)

        assert stripe_api.invoices.retrieve(made.id).status == "paid"


class TestList:
    def test_filters(self, stripe_api, customer):
        subscription = subscribe(stripe_api, customer, price_of(stripe_api))
        draft = draft_for(stripe_api, customer)
        draft_for(stripe_api, stripe_api.customers.create({}))

        def ids(**params):
            return [each.id for each in stripe_api.invoices.list(params).data]

        assert ids(customer=customer.id) == [draft.id, subscription.latest_invoice]
        assert ids(subscription=subscription.id) == ids(status="paid") == [subscription.latest_invoice]
        assert ids(created={"gt": draft.created + HOUR}) == []


class TestRetrieve:
    def test_refuses_what_is_not_there(self, stripe_api):
        assert refusal_of(stripe_api.invoices.retrieve, "in_unknown").code == "resource_missing"
        assert refusal_of(stripe_api.invoice_payments.retrieve, "inpay_unknown").code == "resource_missing"


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


@pytest.fixture
def item(stripe_api, customer):
    return stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})


class TestCreateItem:
    def test_waits_for_the_next_invoice(self, stripe_api, customer, item):
        assert (item.amount, item.currency, item.invoice, item.customer) == (2000, "eur", None, customer.id)
        assert types_since()[-1] == "invoiceitem.created"

    def test_may_give_something_back(self, stripe_api, customer, item):
        stripe_api.invoice_items.create({"customer": customer.id, "amount": -500, "currency": "eur"})

        made = stripe_api.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})

        assert made.amount_due == 1500

    @pytest.mark.parametrize(
        ("params", "code", "param"),
        [
            ({"customer": "cus_unknown", "amount": 1}, "resource_missing", "customer"),
            ({}, "parameter_missing", "amount"),
            ({"amount": 100_000_000}, "amount_too_large", "amount"),
            ({"amount": "many"}, "parameter_invalid_integer", "amount"),
            ({"amount": 1, "currency": "zzz"}, None, "currency"),
            ({"amount": 1, "invoice": "in_unknown"}, None, "invoice"),
            ({"unit_amount_decimal": "0.5"}, None, "unit_amount_decimal"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, customer, params, code, param):
        refusal = refusal_of(stripe_api.invoice_items.create, {"customer": customer.id, **params})

        assert (refusal.code, refusal.param) == (code, param)
        assert not StoredObject.objects.filter(kind="invoiceitem").exists()
