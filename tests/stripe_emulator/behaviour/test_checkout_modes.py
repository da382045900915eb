"""Sessions that begin a subscription or keep a card."""

from stripe_emulator import timers
from stripe_emulator.models import StoredObject
from tests.support.checkout_sessions import (
    ASKING,
    DECLINED,
    answering,
    line,
    monthly,
    session_of,
    setup_params,
    subscription_params,
    told,
)

HOUR = 3600


class TestSubscribing:
    def test_begins_the_subscription_after_the_payment(self, stripe_api, opened, paying):
        id = opened(subscription_params(subscription_data={"metadata": {"member": "7"}}))

        _, body = paying(id)

        subscription = stripe_api.subscriptions.retrieve(body["subscription"])
        assert (body["status"], body["payment_status"]) == ("complete", "paid")
        assert (body["payment_intent"], subscription.status) == (None, "active")
        assert subscription.metadata["member"] == "7"
        assert (subscription.customer, subscription.latest_invoice) == (body["customer"], body["invoice"])
        assert stripe_api.invoices.retrieve(body["invoice"]).status == "paid"
        assert told().count("invoice.paid") == 1

    def test_leaves_no_subscription_behind_when_the_card_is_declined(self, opened, paying):
        id = opened(subscription_params())

        status, _ = paying(id, DECLINED)

        assert status == 402
        assert not StoredObject.objects.filter(kind__in=["subscription", "invoice"]).exists()

    def test_makes_one_customer_however_often_it_is_tried(self, opened, paying):
        id = opened(subscription_params())
        paying(id, DECLINED)

        paying(id)

        assert StoredObject.objects.filter(kind="customer").count() == 1

    def test_uses_the_customer_that_the_seller_names(self, stripe_api, opened, paying):
        customer = stripe_api.customers.create({"email": "ada@example.com"})

        _, body = paying(opened(subscription_params(customer=customer.id)))

        assert body["customer"] == customer.id
        assert stripe_api.subscriptions.list({"customer": customer.id}).data[0].id == body["subscription"]

    def test_saves_the_card_when_a_trial_comes_first(self, stripe_api, opened, paying):
        id = opened(subscription_params(subscription_data={"trial_period_days": 7}))

        _, body = paying(id)

        subscription = stripe_api.subscriptions.retrieve(body["subscription"])
        assert (body["payment_status"], subscription.status) == ("paid", "trialing")
        assert subscription.default_payment_method
        assert not StoredObject.objects.filter(kind="charge").exists()

    def test_bills_what_is_bought_once_together_with_it(self, stripe_api, opened, paying):
        id = opened(subscription_params(line_items=[monthly(900), line(500, quantity=1)]))

        _, body = paying(id)

        assert stripe_api.invoices.retrieve(body["invoice"]).amount_paid == 1400

    def test_by_debit_waits_for_the_money(self, opened, paying, debit):
        id = opened(subscription_params())
        _, body = paying(id, debit(settles=True))

        timers.advance(HOUR)

        assert body["payment_status"] == "unpaid"
        assert session_of(id).data["payment_status"] == "paid"
        assert told().count("checkout.session.async_payment_succeeded") == 1
        assert told().count("invoice.paid") == 1


class TestSavingACard:
    def test_completes_without_a_payment(self, stripe_api, opened, paying):
        customer = stripe_api.customers.create({})
        id = opened(setup_params(customer=customer.id, setup_intent_data={"metadata": {"for": "later"}}))

        _, body = paying(id)

        setup = stripe_api.setup_intents.retrieve(body["setup_intent"])
        assert (body["status"], body["payment_status"]) == ("complete", "no_payment_required")
        assert (setup.status, setup.metadata["for"]) == ("succeeded", "later")
        assert stripe_api.payment_methods.retrieve(setup.payment_method).customer == customer.id

    def test_asks_the_bank_too(self, opened, paying):
        id = opened(setup_params())
        paying(id, ASKING)

        assert answering(id, succeeded=True).data["status"] == "complete"
