"""Changes of subscriptions through the official client."""

import pytest

from stripe_emulator.models import Event
from tests.support.billing import (
    DAY,
    price_of,
    subscribe,
    types_since,
)
from tests.support.emulator import refusal_of


class TestUpdate:
    @pytest.fixture
    def subscription(self, stripe_api, customer, price):
        return subscribe(stripe_api, customer, price, metadata={"order": "7"})

    def test_tells_what_was_different(self, stripe_api, subscription):
        updated = stripe_api.subscriptions.update(subscription.id, {"metadata": {"seat": "3"}})

        assert updated.metadata.to_dict() == {"order": "7", "seat": "3"}
        assert Event.objects.order_by("number").last().previous == {"metadata": {"order": "7"}}

    def test_schedules_the_end_and_takes_it_back(self, stripe_api, subscription):
        scheduled = stripe_api.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        assert scheduled.cancel_at_period_end
        assert scheduled.cancel_at == subscription["items"].data[0].current_period_end
        assert scheduled.cancellation_details.reason == "cancellation_requested"

        taken_back = stripe_api.subscriptions.update(subscription.id, {"cancel_at_period_end": False})

        assert (taken_back.cancel_at, taken_back.canceled_at) == (None, None)

    def test_changes_price_and_quantity_of_an_item(self, stripe_api, subscription):
        item, better = subscription["items"].data[0], price_of(stripe_api, 2500)

        changed = stripe_api.subscriptions.update(
            subscription.id, {"items": [{"id": item.id, "price": better.id, "quantity": 2}]}
        )

        (after,) = changed["items"].data
        assert (after.id, after.price.id, after.quantity) == (item.id, better.id, 2)
        assert after.current_period_end == item.current_period_end
        assert changed.latest_invoice == subscription.latest_invoice

    def test_of_the_interval_begins_a_new_period_that_is_paid_now(self, stripe_api, subscription):
        item, yearly = subscription["items"].data[0], price_of(stripe_api, 9000, interval="year")

        changed = stripe_api.subscriptions.update(
            subscription.id, {"items": [{"id": item.id, "price": yearly.id}], "expand": ["latest_invoice"]}
        )

        assert changed.latest_invoice.billing_reason == "subscription_update"
        # The month that was paid a moment ago is taken off.
        assert (changed.latest_invoice.status, changed.latest_invoice.amount_paid) == ("paid", 9000 - 1500)
        assert changed["items"].data[0].current_period_end - changed.billing_cycle_anchor >= 365 * DAY

    def test_ends_a_trial_now(self, stripe_api, customer, price):
        trying = subscribe(stripe_api, customer, price, trial_period_days=14)

        ended = stripe_api.subscriptions.update(trying.id, {"trial_end": "now", "expand": ["latest_invoice"]})

        assert (ended.status, ended.latest_invoice.status, ended.latest_invoice.amount_paid) == ("active", "paid", 1500)

    def test_pauses_and_resumes_the_collection(self, stripe_api, subscription):
        paused = stripe_api.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
        assert (paused.pause_collection.behavior, paused.status) == ("void", "active")

        resumed = stripe_api.subscriptions.update(subscription.id, {"pause_collection": ""})

        assert resumed.pause_collection is None

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"items": [{"id": "si_unknown", "quantity": 2}]}, "items[0][id]"),
            ({"cancel_at": 1000}, "cancel_at"),
            ({"discounts": [{"coupon": "x"}]}, "discounts"),
            ({"pause_collection": {"behavior": "sleep"}}, "pause_collection[behavior]"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, subscription, params, param):
        refusal = refusal_of(stripe_api.subscriptions.update, subscription.id, params)

        assert refusal.param == param

    def test_refuses_to_take_the_last_item(self, stripe_api, subscription):
        item = subscription["items"].data[0]

        refusal = refusal_of(
            stripe_api.subscriptions.update, subscription.id, {"items": [{"id": item.id, "deleted": True}]}
        )

        assert refusal.param == "items"

    def test_refuses_what_has_ended(self, stripe_api, subscription):
        stripe_api.subscriptions.cancel(subscription.id)

        refusal = refusal_of(stripe_api.subscriptions.update, subscription.id, {"cancel_at_period_end": True})

        assert "canceled subscription" in refusal.user_message


class TestCancel:
    def test_ends_it_now(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)

        ended = stripe_api.subscriptions.cancel(made.id, {"cancellation_details": {"comment": "too far"}})

        assert (ended.status, ended.cancellation_details.comment) == ("canceled", "too far")
        assert ended.ended_at == ended.canceled_at
        assert types_since()[-1] == "customer.subscription.deleted"

    def test_is_refused_twice(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.cancel(made.id)

        refusal = refusal_of(stripe_api.subscriptions.cancel, made.id)

        assert (refusal.http_status, refusal.code) == (404, "resource_missing")


class TestPausedSubscriptions:
    @pytest.fixture
    def paused(self, stripe_api, price):
        settings = {"end_behavior": {"missing_payment_method": "pause"}}
        nobody = stripe_api.customers.create({})
        made = subscribe(stripe_api, nobody, price, trial_period_days=7, trial_settings=settings)
        return stripe_api.subscriptions.update(made.id, {"trial_end": "now"})

    def test_are_those_whose_trial_ended_without_a_method(self, stripe_api, paused):
        assert paused.status == "paused"
        assert types_since()[-1] == "customer.subscription.paused"

    def test_begin_anew_when_they_are_resumed(self, stripe_api, paused):
        stripe_api.subscriptions.update(paused.id, {"default_payment_method": "pm_card_visa"})

        resumed = stripe_api.subscriptions.resume(paused.id, {"expand": ["latest_invoice"]})

        assert (resumed.status, resumed.latest_invoice.amount_paid) == ("active", 1500)
        assert "customer.subscription.resumed" in types_since()

    def test_are_the_only_ones_to_be_resumed(self, stripe_api, customer, price):
        refusal = refusal_of(stripe_api.subscriptions.resume, subscribe(stripe_api, customer, price).id)

        assert refusal.code == "subscription_not_paused"


class TestACustomerWhoIsDeleted:
    def test_ends_their_subscriptions(self, stripe_api, customer, price):
        subscription = subscribe(stripe_api, customer, price)

        stripe_api.customers.delete(customer.id)

        assert stripe_api.subscriptions.retrieve(subscription.id).status == "canceled"
