"""Subscriptions through the official client."""

import pytest
import stripe

from stripe_emulator.models import Event
from tests.support.billing import ASKS, DAY, DECLINED, customer_with, last_event, price_of, subscribe, types_since
from tests.support.emulator import refusal_of


class TestCreate:
    def test_bills_the_first_period_at_once(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price, metadata={"order": "7"}, expand=["latest_invoice.payments"])

        invoice, (item,) = made.latest_invoice, made["items"].data
        assert made.status == "active"
        assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == ("paid", "subscription_create", 1500)
        assert invoice.parent.subscription_details.subscription == made.id
        assert invoice.parent.subscription_details.metadata.to_dict() == {"order": "7"}
        assert invoice.payments.data[0].payment.type == "payment_intent"
        assert (item.current_period_start, item.price.id) == (made.created, price.id)

    def test_tells_it_in_stripe_s_order(self, stripe_api, customer, price):
        before = last_event()

        subscribe(stripe_api, customer, price)

        wanted = [
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
            "customer.subscription.updated",
        ]
        assert [each for each in types_since(before) if each in wanted] == wanted
        assert Event.objects.get(type="customer.subscription.updated").previous == {"status": "incomplete"}

    def test_takes_a_price_that_is_described(self, stripe_api, customer):
        product = stripe_api.products.create({"name": "Silver"})
        told = {"product": product.id, "unit_amount": 700, "currency": "eur", "recurring": {"interval": "year"}}

        made = stripe_api.subscriptions.create(
            {"customer": customer.id, "items": [{"price_data": told, "quantity": 3}], "expand": ["latest_invoice"]}
        )

        assert made.latest_invoice.total == 2100
        assert made["items"].data[0].price.recurring.interval == "year"

    def test_without_a_price_to_pay_needs_no_payment(self, stripe_api):
        nobody = stripe_api.customers.create({})

        made = subscribe(stripe_api, nobody, price_of(stripe_api, 0), expand=["latest_invoice"])

        assert (made.status, made.latest_invoice.status, made.latest_invoice.total) == ("active", "paid", 0)
        assert types_since(of="payment_intent") == []

    def test_with_a_trial_begins_without_payment(self, stripe_api, price):
        nobody = stripe_api.customers.create({})

        made = subscribe(stripe_api, nobody, price, trial_period_days=14, expand=["latest_invoice"])

        assert (made.status, made.latest_invoice.total, made.latest_invoice.status) == ("trialing", 0, "paid")
        assert made.trial_end == made.billing_cycle_anchor == made["items"].data[0].current_period_end
        assert made.trial_end - made.trial_start == 14 * DAY

    def test_tells_at_once_of_a_trial_that_ends_within_three_days(self, stripe_api, customer, price):
        subscribe(stripe_api, customer, price, trial_period_days=1)

        assert types_since(of="customer.subscription") == [
            "customer.subscription.created",
            "customer.subscription.trial_will_end",
        ]

    def test_stays_incomplete_when_the_card_is_declined(self, stripe_api, price):
        unlucky = customer_with(stripe_api, DECLINED)

        made = subscribe(stripe_api, unlucky, price, expand=["latest_invoice"])

        assert (made.status, made.latest_invoice.status) == ("incomplete", "open")
        assert (made.latest_invoice.attempt_count, made.latest_invoice.next_payment_attempt) == (1, None)
        assert "invoice.payment_failed" in types_since()
        assert "customer.subscription.updated" not in types_since()

    def test_leaves_nothing_when_that_is_to_be_an_error(self, stripe_api, price):
        unlucky = customer_with(stripe_api, DECLINED)

        refusal = refusal_of(subscribe, stripe_api, unlucky, price, payment_behavior="error_if_incomplete")

        assert isinstance(refusal, stripe.CardError)
        assert refusal.code == "card_declined"
        assert stripe_api.subscriptions.list({"status": "all"}).data == []

    def test_waits_for_a_customer_who_has_to_authenticate(self, stripe_api, price):
        made = subscribe(stripe_api, customer_with(stripe_api, ASKS), price)

        assert made.status == "incomplete"
        assert "invoice.payment_action_required" in types_since()

    def test_can_leave_the_payment_to_the_client(self, stripe_api, customer, price):
        made = subscribe(
            stripe_api,
            customer,
            price,
            payment_behavior="default_incomplete",
            expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
        )
        assert made.status == "incomplete"
        intent = made.latest_invoice.payments.data[0].payment.payment_intent
        assert made.latest_invoice.confirmation_secret.client_secret.startswith(intent)

        stripe_api.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})

        assert stripe_api.subscriptions.retrieve(made.id).status == "active"

    @pytest.mark.parametrize(
        ("params", "code", "param"),
        [
            ({"customer": "cus_unknown"}, "resource_missing", "customer"),
            ({"items": []}, "parameter_missing", "items"),
            ({"items": [{"price": "price_unknown"}]}, "resource_missing", "items[0][price]"),
            ({"items": [{"quantity": 2}]}, "parameter_missing", "items[0][price]"),
            ({"default_payment_method": "pm_unknown"}, "resource_missing", "payment_method"),
            ({"trial_period_days": 3, "trial_end": 4_000_000_000}, None, "trial_end"),
            ({"trial_end": 1000}, None, "trial_end"),
            ({"trial_period_days": 731}, None, "trial_period_days"),
            ({"collection_method": "send_invoice"}, "parameter_missing", "days_until_due"),
            ({"billing_cycle_anchor": 4_000_000_000}, None, "billing_cycle_anchor"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, customer, price, params, code, param):
        usual = {"customer": customer.id, "items": [{"price": price.id}]}

        refusal = refusal_of(stripe_api.subscriptions.create, {**usual, **params})

        assert (refusal.code, refusal.param) == (code, param)
        assert stripe_api.subscriptions.list({"status": "all"}).data == []

    def test_refuses_a_customer_who_has_nothing_to_pay_with(self, stripe_api, price):
        refusal = refusal_of(subscribe, stripe_api, stripe_api.customers.create({}), price)

        assert refusal.code == "resource_missing"

    def test_refuses_another_customer_s_method(self, stripe_api, customer, price):
        other = customer_with(stripe_api)
        method = other.invoice_settings.default_payment_method

        refusal = refusal_of(subscribe, stripe_api, customer, price, default_payment_method=method)

        assert (refusal.code, refusal.param) == ("resource_missing", "default_payment_method")

    def test_refuses_different_intervals(self, stripe_api, customer, price):
        items = [{"price": price.id}, {"price": price_of(stripe_api, interval="year").id}]

        refusal = refusal_of(stripe_api.subscriptions.create, {"customer": customer.id, "items": items})

        assert refusal.param == "items"


class TestList:
    def test_hides_the_canceled_ones_unless_asked(self, stripe_api, customer, price):
        running = subscribe(stripe_api, customer, price)
        ended = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.cancel(ended.id)

        def ids(**params):
            return [each.id for each in stripe_api.subscriptions.list(params).data]

        assert ids() == [running.id]
        assert ids(status="all") == [ended.id, running.id]
        assert ids(status="ended") == ids(status="canceled") == [ended.id]
        assert ids(status="trialing") == []

    def test_filters_by_customer_and_price(self, stripe_api, customer, price):
        wanted = subscribe(stripe_api, customer, price)
        other = price_of(stripe_api, 99)
        subscribe(stripe_api, customer_with(stripe_api), other)

        assert [each.id for each in stripe_api.subscriptions.list({"customer": customer.id}).data] == [wanted.id]
        assert [each.id for each in stripe_api.subscriptions.list({"price": price.id}).data] == [wanted.id]


class TestRetrieve:
    def test_refuses_what_is_not_there(self, stripe_api):
        assert refusal_of(stripe_api.subscriptions.retrieve, "sub_unknown").code == "resource_missing"
