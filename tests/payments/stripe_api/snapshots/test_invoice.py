"""How an invoice and what pays it are read, in any shape."""

from dataclasses import replace
from datetime import timedelta

import pytest

from payments.stripe_api.snapshots import MalformedObject, StripeInvoice, StripeInvoicePayment
from tests.support.stripe_objects import NO_AMOUNT
from tests.support.subscriptions import (
    BEGIN,
    END,
    NOON,
    invoice_object,
    invoice_payment_object,
    line_object,
    old_invoice_object,
    unix,
)

SHAPES = pytest.mark.parametrize("source", [invoice_object(), old_invoice_object()], ids=["current", "old"])


def lines(*rows):
    return {"object": "list", "data": list(rows)}


class TestRead:
    @SHAPES
    def test_names_itself_its_subscription_its_customer_and_our_site(self, source):
        refs = StripeInvoice.read(source).refs

        assert (refs.invoice, refs.subscription, refs.customer, refs.site) == ("in_1", "sub_1", "cus_1", "payments")

    def test_names_what_pays_it_where_it_is_told(self):
        refs = StripeInvoice.read(old_invoice_object()).refs

        assert (refs.payment_intent, refs.charge) == ("pi_1", "ch_1")

    def test_names_the_payment_that_paid_it_among_several(self):
        declined = {"status": "canceled", "is_default": True, "payment": {"payment_intent": "pi_0"}}
        rows = lines(declined, {"status": "paid", "payment": {"payment_intent": "pi_1"}})

        assert StripeInvoice.read(invoice_object(payments=rows)).refs.payment_intent == "pi_1"

    @pytest.mark.parametrize("parent", [None, {}, {"type": "quote_details", "quote_details": {"quote": "qt_1"}}])
    def test_may_belong_to_no_subscription(self, parent):
        assert StripeInvoice.read(invoice_object(parent=parent)).refs.subscription == ""

    def test_refuses_a_status_that_nobody_knows_yet(self):
        with pytest.raises(MalformedObject, match="in_1: status is “half_paid”"):
            StripeInvoice.read(invoice_object(status="half_paid"))

    @pytest.mark.parametrize("name", ["id", "status"])
    @pytest.mark.parametrize("odd", [None, "", 7, []])
    def test_refuses_to_guess_what_decides(self, name, odd):
        with pytest.raises(MalformedObject):
            StripeInvoice.read(invoice_object(**{name: odd}))


class TestTold:
    @SHAPES
    def test_tells_what_came_when_and_for_how_long(self, source):
        fact = StripeInvoice.read(source).to_fact(at=NOON)

        assert (fact.received, fact.currency, fact.off_stripe) == (400, "eur", 0)
        assert (fact.paid_at, fact.period_start, fact.period_end) == (BEGIN, BEGIN, END)
        assert fact.prices == ("price_monthly",)

    def test_says_the_same_in_every_shape_but_for_the_names(self):
        current, old = (
            StripeInvoice.read(invoice_object()).to_fact(at=NOON),
            StripeInvoice.read(old_invoice_object()).to_fact(at=NOON),
        )

        assert replace(old, refs=current.refs) == current

    @pytest.mark.parametrize("status", ["draft", "open", "void", "uncollectible"])
    def test_tells_of_no_money_unless_it_is_paid(self, status):
        fact = StripeInvoice.read(invoice_object(status=status, amount_paid=None)).to_fact(at=NOON)

        assert (fact.status, fact.received, fact.paid_at, fact.period_end) == (status, 0, None, None)

    def test_falls_back_on_the_time_of_the_event(self):
        assert StripeInvoice.read(invoice_object(status_transitions=None)).to_fact(at=NOON).paid_at == NOON

    @pytest.mark.parametrize(
        "source",
        [
            invoice_object(amount_paid=0, amount_paid_off_stripe=400),
            old_invoice_object(amount_paid=0, paid_out_of_band=True),
            old_invoice_object(amount_paid=400, paid_out_of_band=True),
        ],
        ids=["current", "old", "old with its amount"],
    )
    def test_counts_what_came_by_another_way_as_received(self, source):
        fact = StripeInvoice.read(source).to_fact(at=NOON)

        assert (fact.received, fact.off_stripe) == (400, 400)

    @pytest.mark.parametrize("name", ["amount_paid", "amount_paid_off_stripe"])
    def test_refuses_an_amount_below_zero(self, name):
        with pytest.raises(MalformedObject, match=name):
            StripeInvoice.read(invoice_object(**{name: -1})).to_fact(at=NOON)

    @pytest.mark.parametrize("amount", NO_AMOUNT)
    def test_refuses_to_guess_what_came(self, amount):
        with pytest.raises(MalformedObject, match="amount_paid"):
            StripeInvoice.read(invoice_object(amount_paid=amount)).to_fact(at=NOON)

    @pytest.mark.parametrize(
        "proration",
        [
            line_object(is_proration=True, period={"end": unix(END + timedelta(days=9))}),
            line_object(parent=None, proration=True, type="subscription", period={"end": unix(END)}),
            line_object(parent={"type": "invoice_item_details", "invoice_item_details": {"proration": True}}),
        ],
        ids=["current", "old", "an item of its own"],
    )
    def test_pays_no_period_with_a_proration(self, proration):
        fact = StripeInvoice.read(invoice_object(lines=lines(proration))).to_fact(at=NOON)

        assert (fact.received, fact.period_end) == (400, None)

    def test_names_the_prices_of_all_its_lines(self):
        rows = lines(line_object(pricing={"price_details": {"price": "price_tea"}}), line_object(), line_object())

        assert StripeInvoice.read(invoice_object(lines=rows)).to_fact(at=NOON).prices == ("price_tea", "price_monthly")

    def test_pays_the_latest_period_among_its_lines(self):
        rows = lines(line_object(period={"end": unix(NOON)}), line_object(), line_object(is_proration=True))

        assert StripeInvoice.read(invoice_object(lines=rows)).to_fact(at=NOON).period_end == END


class TestNextTryAt:
    def test_is_when_stripe_tries_again(self):
        assert StripeInvoice.read(invoice_object(next_payment_attempt=unix(END))).next_try_at == END

    @pytest.mark.parametrize("odd", [None, 0, "tomorrow"])
    def test_is_never_where_stripe_does_not(self, odd):
        assert StripeInvoice.read(invoice_object(next_payment_attempt=odd)).next_try_at is None


class TestFinalizationError:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            ({"code": "tax_location_invalid", "type": "invalid_request_error"}, "tax_location_invalid"),
            ({"type": "api_error"}, "api_error"),
            (None, ""),
        ],
    )
    def test_is_the_most_precise_word_that_stripe_has(self, error, said):
        assert StripeInvoice.read(invoice_object(last_finalization_error=error)).finalization_error == said


class TestInvoicePayment:
    def test_names_the_invoice_and_what_pays_it(self):
        refs = StripeInvoicePayment.read(invoice_payment_object()).refs

        assert (refs.invoice, refs.payment_intent, refs.charge, refs.subscription) == ("in_1", "pi_1", "", "")

    @pytest.mark.parametrize("odd", [None, "", 7])
    def test_refuses_an_object_without_an_id(self, odd):
        with pytest.raises(MalformedObject):
            StripeInvoicePayment.read(invoice_payment_object(id=odd))
