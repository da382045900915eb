"""What the events of an invoice say."""

import pytest

from payments.facts import InvoicePaymentFact, NoFacts, ObjectRefs, SubscriptionNoticeFact
from payments.stripe_api.snapshots import StripeInvoice
from tests.support.stripe_objects import NOON, told_by
from tests.support.subscriptions import END, invoice_object, invoice_payment_object, old_invoice_object, unix

EVERY_WORD = [
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.finalization_failed",
]


@pytest.mark.parametrize("event_type", ["invoice.paid", "invoice.payment_succeeded"])
class TestPaid:
    @pytest.mark.parametrize("source", [invoice_object(), old_invoice_object()], ids=["current", "old"])
    def test_tells_of_the_money(self, event_type, source):
        assert told_by(event_type, source) == [StripeInvoice.read(source).to_fact(at=NOON)]


class TestAppeals:
    @pytest.mark.parametrize(
        ("event_type", "kind"),
        [
            ("invoice.payment_failed", "payment_failed"),
            ("invoice.payment_action_required", "action_required"),
            ("invoice.finalization_failed", "finalization_failed"),
        ],
    )
    def test_tell_the_state_of_the_invoice_and_ask_for_a_message(self, event_type, kind):
        source = invoice_object(
            status="open", next_payment_attempt=unix(END), last_finalization_error={"code": "tax_broke"}
        )

        whole, appeal = told_by(event_type, source)

        assert whole == StripeInvoice.read(source).to_fact(at=NOON)
        assert appeal == SubscriptionNoticeFact(
            StripeInvoice.read(source).refs, kind, NOON, next_try_at=END, reason="tax_broke"
        )


@pytest.mark.parametrize("event_type", EVERY_WORD)
class TestOfNoSubscription:
    def test_says_nothing(self, event_type):
        assert told_by(event_type, invoice_object(parent=None)) == [NoFacts("the invoice belongs to no subscription")]


class TestInvoicePaymentPaid:
    def test_links_the_invoice_with_what_paid_it(self):
        facts = told_by("invoice_payment.paid", invoice_payment_object())

        assert facts == [InvoicePaymentFact(ObjectRefs(invoice="in_1", payment_intent="pi_1"), NOON)]

    @pytest.mark.parametrize(
        "odd",
        [{"invoice": None}, {"payment": None}, {"payment": {"type": "payment_record", "payment_record": "prec_1"}}],
    )
    def test_says_nothing_where_one_of_both_is_missing(self, odd):
        [nothing] = told_by("invoice_payment.paid", invoice_payment_object(**odd))

        assert isinstance(nothing, NoFacts)
