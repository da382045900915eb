"""Invoices and their payments through the official client."""

import pytest

from stripe_emulator import timers
from stripe_emulator.models import Event
from tests.support.billing import (
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
        assert stripe_api.invoice_items.list({"pending": True}).data == []

    def test_leaves_what_waits_otherwise(self, stripe_api, customer):
        stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})

        made = stripe_api.invoices.create({"customer": customer.id})

        assert (made.total, made.lines.data) == (0, [])

    def test_of_older_versions_takes_it_anyway(self, stripe_api, customer):
        stripe_api.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "eur"})

        made = official_client(version="2020-08-27").v1.invoices.create({"customer": customer.id})

        assert made.total == 2000

    def test_for_a_subscription_is_its_child(self, stripe_api, customer):
        subscription = subscribe(stripe_api, customer, price_of(stripe_api))

        made = stripe_api.invoices.create({"subscription": subscription.id, "customer": customer.id})

        assert made.parent.subscription_details.subscription == subscription.id

    @pytest.mark.parametrize(
        ("params", "code", "param"),
        [
            ({}, "parameter_missing", "customer"),
            ({"customer": "cus_unknown"}, "resource_missing", "customer"),
            ({"collection_method": "pigeon"}, None, "collection_method"),
            ({"collection_method": "send_invoice"}, "parameter_missing", "days_until_due"),
            ({"currency": "zzz"}, None, "currency"),
            ({"subscription": "sub_unknown"}, "resource_missing", "subscription"),
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


class TestUpdate:
    def test_tells_what_was_different(self, stripe_api, customer):
        draft = draft_for(stripe_api, customer)

        stripe_api.invoices.update(draft.id, {"description": "Spring", "metadata": {"a": "b"}})

        event = Event.objects.get(type="invoice.updated")
        assert event.previous == {"description": None, "metadata": {}}

    def test_of_auto_advance_begins_and_stops_the_wait(self, stripe_api, customer):
        draft = draft_for(stripe_api, customer)
        assert stripe_api.invoices.update(draft.id, {"auto_advance": True}).automatically_finalizes_at

        stripe_api.invoices.update(draft.id, {"auto_advance": False})

        assert timers.advance(2 * HOUR) == 0

    def test_is_refused_once_it_is_finalized(self, stripe_api, customer):
        opened = open_for(stripe_api, customer)

        refusal = refusal_of(stripe_api.invoices.update, opened.id, {"description": "Spring"})

        assert (refusal.code, refusal.param) == ("invoice_not_editable", "description")
        assert stripe_api.invoices.update(opened.id, {"metadata": {"a": "b"}}).metadata.a == "b"


class TestDelete:
    def test_lets_the_items_wait_again(self, stripe_api, customer):
        draft = draft_for(stripe_api, customer)

        stripe_api.invoices.delete(draft.id)

        assert stripe_api.invoices.retrieve(draft.id).deleted is True
        assert len(stripe_api.invoice_items.list({"pending": True}).data) == 1
        assert types_since()[-1] == "invoice.deleted"

    def test_is_refused_once_it_is_finalized(self, stripe_api, customer):
        refusal = refusal_of(stripe_api.invoices.delete, open_for(stripe_api, customer).id)

        assert refusal.code == "invoice_not_editable"


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

    def test_of_lines_shows_them_all(self, stripe_api, customer):
        draft = draft_for(stripe_api, customer, 1, 2, 3)

        assert [line.amount for line in stripe_api.invoices.line_items.list(draft.id).data] == [1, 2, 3]


class TestRetrieve:
    def test_refuses_what_is_not_there(self, stripe_api):
        assert refusal_of(stripe_api.invoices.retrieve, "in_unknown").code == "resource_missing"
        assert refusal_of(stripe_api.invoice_payments.retrieve, "inpay_unknown").code == "resource_missing"
