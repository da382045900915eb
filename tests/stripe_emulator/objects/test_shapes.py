"""Every kind of object has the shape that the SDK declares for it."""

import pytest
import stripe
from stripe import radar

from stripe_emulator import clock, timers
from stripe_emulator.behaviour.payouts import fail_payout
from stripe_emulator.models import Event, StoredObject
from tests.support.billing import DECLINED, price_of, stored, subscribe
from tests.support.emulated_payments import SEPA_FAILS, SEPA_SUCCEEDS, debit, pay
from tests.support.emulator import refusal_of
from tests.support.stripe_shapes import assert_pinned_shape

CLASSES = {
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "payment_intent": stripe.PaymentIntent,
    "radar.early_fraud_warning": radar.EarlyFraudWarning,
    "payment_method": stripe.PaymentMethod,
    "payout": stripe.Payout,
    "refund": stripe.Refund,
    "setup_intent": stripe.SetupIntent,
    "token": stripe.Token,
}
ADDRESS = {"line1": "1 rue A", "city": "Lyon", "country": "FR"}


def assert_everything_pinned(*kinds):
    """What is stored now and what it was in each event; at least one object of each of the kinds."""
    stored = list(StoredObject.objects.all())
    assert set(kinds) <= {each.kind for each in stored}
    for data in [each.data for each in stored] + [event.object for event in Event.objects.all()]:
        assert_pinned_shape(data, CLASSES[data["object"]])


class TestShapes:
    def test_of_a_customer_who_pays(self, stripe_api):
        customer = stripe_api.customers.create(
            {"payment_method": "pm_card_visa", "address": ADDRESS, "shipping": {"name": "A", "address": ADDRESS}}
        )
        shipping = {"name": "Ada", "address": ADDRESS}

        pay(stripe_api, customer=customer.id, shipping=shipping, setup_future_usage="off_session")

        assert_everything_pinned("customer", "payment_method", "payment_intent", "charge", "balance_transaction")

    def test_of_a_warning(self, stripe_api):
        pay(stripe_api, "pm_card_createIssuerFraudRecord")

        assert_everything_pinned("radar.early_fraud_warning")

    @pytest.mark.parametrize("method", ["pm_card_chargeDeclined", "pm_card_chargeDeclinedExpiredCard"])
    def test_of_a_decline(self, stripe_api, method):
        refusal_of(pay, stripe_api, method)
        refusal_of(stripe_api.setup_intents.create, {"payment_method": method, "confirm": True})

        assert_everything_pinned("payment_intent", "charge", "setup_intent")

    @pytest.mark.parametrize("return_url", [{}, {"return_url": "https://shop.example/back"}])
    def test_of_a_question(self, stripe_api, return_url):
        pay(stripe_api, "pm_card_authenticationRequired", **return_url)
        asked = {"payment_method": "pm_card_authenticationRequired", "confirm": True, **return_url}
        stripe_api.setup_intents.create(asked)

        assert_everything_pinned("payment_intent", "setup_intent")

    @pytest.mark.parametrize("iban", [SEPA_SUCCEEDS, SEPA_FAILS])
    def test_of_a_debit_until_its_end(self, stripe_api, iban):
        intent = debit(stripe_api, iban)

        timers.advance(61)

        assert stripe_api.payment_intents.retrieve(intent.id).status != "processing"
        assert_everything_pinned("payment_method", "payment_intent", "charge")

    @pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail"])
    def test_of_a_refund_until_its_end(self, stripe_api, method):
        stripe_api.refunds.create({"payment_intent": pay(stripe_api, method).id, "reason": "duplicate"})

        timers.advance(6)

        assert_everything_pinned("refund", "charge", "balance_transaction")

    @pytest.mark.parametrize("method", ["pm_card_createDispute", "pm_card_createDisputeInquiry"])
    def test_of_a_dispute_until_its_end(self, stripe_api, method):
        pay(stripe_api, method)
        (dispute,) = stripe_api.disputes.list({}).data
        stripe_api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})

        timers.advance(6)

        assert_everything_pinned("dispute", "charge", "balance_transaction")

    def test_of_a_payout_until_its_end(self, stripe_api):
        pay(stripe_api)

        timers.advance(5 * 24 * 3600)

        fail_payout(StoredObject.objects.get(kind="payout"), at=clock.emulated_now())
        assert_everything_pinned("payout", "balance_transaction")

    def test_of_the_account(self, stripe_api):
        assert_pinned_shape(stripe_api.accounts.retrieve_current().to_dict(), stripe.Account)


class TestComparison:
    """The comparison itself sees what is wrong."""

    @pytest.fixture
    def customer(self, stripe_api):
        stripe_api.customers.create({"address": ADDRESS})
        return StoredObject.objects.get().data

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"shoe_size": 42}, "Customer.shoe_size is unknown"),
            ({"created": None}, "Customer.created must not be None"),
            ({"created": "now"}, "Customer.created must not be 'now'"),
            ({"livemode": 1}, "Customer.livemode must not be 1"),
            ({"address": {"street": "rue A"}}, "Customer.address.street is unknown"),
            ({"address": "rue A"}, "Customer.address must not be 'rue A'"),
            ({"email": {}}, "Customer.email has no inner fields"),
            ({"preferred_locales": [1]}, r"Customer.preferred_locales\[0\] must not be 1"),
        ],
    )
    def test_sees_what_is_wrong(self, customer, wrong, complaint):
        with pytest.raises(AssertionError, match=complaint):
            assert_pinned_shape(customer | wrong, stripe.Customer)

    def test_sees_what_is_missing(self, customer):
        del customer["livemode"]

        with pytest.raises(AssertionError, match=r"Customer\.livemode is missing"):
            assert_pinned_shape(customer, stripe.Customer)


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
