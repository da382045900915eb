"""Another price in the middle of a period, through the official client: the preview and the change say the same."""

import pytest

from stripe_emulator.behaviour.prorations import share
from stripe_emulator.models import Event, StoredObject
from tests.support.billing import price_of, subscribe
from tests.support.emulator import refusal_of


class TestShare:
    @pytest.mark.parametrize(
        ("amount", "left", "expected"), [(400, 10, 400), (400, 5, 200), (333, 5, 167), (1, 4, 0), (400, 0, 0)]
    )
    def test_is_to_the_nearest_minor_unit(self, amount, left, expected):
        assert share(amount, left=left, whole=10) == expected


class TestProrations:
    @pytest.fixture
    def subscription(self, stripe_api, customer, price):
        """€15.00 a month, from now on."""
        return subscribe(stripe_api, customer, price)

    def change(self, stripe_api, subscription, other, *, after=0.5, **params):
        """The preview at this part of the period, and the subscription after what it has shown, with its invoice."""
        item = subscription["items"].data[0]
        start, end = item.current_period_start, item.current_period_end
        date = start + round((end - start) * after)
        told = {"items": [{"id": item.id, "price": other.id}], "proration_date": date, **params}
        before = Event.objects.count(), StoredObject.objects.count()
        preview = stripe_api.invoices.create_preview({"subscription": subscription.id, "subscription_details": told})
        assert (Event.objects.count(), StoredObject.objects.count()) == before
        changed = stripe_api.subscriptions.update(subscription.id, {**told, "expand": ["latest_invoice"]})
        return preview, changed

    def amounts(self, invoice):
        return [line.amount for line in invoice.lines.data]

    def test_of_another_interval_credit_the_rest_and_charge_a_whole_period(self, stripe_api, subscription):
        yearly = price_of(stripe_api, 9000, interval="year")

        preview, changed = self.change(stripe_api, subscription, yearly)

        paid = changed.latest_invoice
        assert self.amounts(preview) == self.amounts(paid) == [-750, 9000]
        assert preview.amount_due == paid.amount_paid == 8250
        assert preview.parent.subscription_details.subscription_proration_date
        assert [line.parent.subscription_item_details.proration for line in paid.lines.data] == [True, False]

    def test_of_the_same_interval_charge_the_difference_at_once_where_asked(self, stripe_api, subscription):
        better = price_of(stripe_api, 2500)

        preview, changed = self.change(stripe_api, subscription, better, proration_behavior="always_invoice")

        assert self.amounts(preview) == self.amounts(changed.latest_invoice) == [-750, 1250]
        assert preview.amount_due == changed.latest_invoice.amount_paid == 500

    def test_wait_for_the_next_invoice_unless_asked_otherwise(self, stripe_api, subscription):
        preview, changed = self.change(stripe_api, subscription, price_of(stripe_api, 2500))

        assert changed.latest_invoice.id == subscription.latest_invoice
        assert preview.amount_due == 2500 + 500
        upcoming = stripe_api.invoices.create_preview({"subscription": subscription.id})
        assert sorted(self.amounts(upcoming)) == [-750, 1250, 2500]

    def test_can_be_left_out(self, stripe_api, subscription):
        yearly = price_of(stripe_api, 9000, interval="year")

        preview, changed = self.change(stripe_api, subscription, yearly, proration_behavior="none")

        assert preview.amount_due == changed.latest_invoice.amount_paid == 9000

    def test_leave_what_exceeds_the_invoice_on_the_customers_balance(self, stripe_api, customer):
        yearly = subscribe(stripe_api, customer, price_of(stripe_api, 9000, interval="year"))

        preview, changed = self.change(stripe_api, yearly, price_of(stripe_api, 1500))

        assert (preview.total, preview.amount_due, preview.ending_balance) == (-3000, 0, -3000)
        assert changed.latest_invoice.status == "paid"
        assert stripe_api.customers.retrieve(customer.id).balance == -3000
        following = stripe_api.invoices.create_preview({"subscription": yearly.id})
        assert (following.total, following.amount_due, following.ending_balance) == (1500, 0, -1500)

    def test_are_none_during_a_trial(self, stripe_api, customer, price):
        trying = subscribe(stripe_api, customer, price, trial_period_days=14)

        preview, changed = self.change(stripe_api, trying, price_of(stripe_api, 9000, interval="year"))

        assert (changed.status, self.amounts(preview)) == ("trialing", [9000])

    @pytest.mark.parametrize("after", [-0.1, 1.1])
    def test_are_refused_outside_the_period(self, stripe_api, subscription, after):
        item = subscription["items"].data[0]
        date = item.current_period_start + round((item.current_period_end - item.current_period_start) * after)
        told = {"items": [{"id": item.id, "quantity": 2}], "proration_date": date}

        refusal = refusal_of(stripe_api.subscriptions.update, subscription.id, told)

        assert refusal.param == "proration_date"

    def test_are_previewed_for_what_is_known_only(self, stripe_api, subscription):
        told = {"subscription": subscription.id, "subscription_details": {"cancel_now": True}}

        assert refusal_of(stripe_api.invoices.create_preview, told).param == "subscription_details[cancel_now]"
