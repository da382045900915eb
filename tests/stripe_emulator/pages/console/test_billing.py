"""The console's buttons of subscriptions."""

import pytest

from stripe_emulator import store
from stripe_emulator.models import StoredObject

URLS = {"success_url": "http://127.0.0.1:8000/thanks"}


@pytest.fixture
def subscription(stripe_api, console):
    """Active, monthly, begun through Checkout."""
    product = stripe_api.products.create({"name": "Membership"})
    monthly = {"product": product.id, "currency": "eur", "unit_amount": 1500, "recurring": {"interval": "month"}}
    price = stripe_api.prices.create(monthly)
    session = stripe_api.checkout.sessions.create(
        {"mode": "subscription", "line_items": [{"price": price.id, "quantity": 1}], **URLS}
    )
    console.press("session.pay", session.id)
    return store.find("subscription").get()


def data_of(id):
    return StoredObject.objects.get(stripe_id=id).data


class TestSubscriptionButtons:
    def test_cancel_ends_it_now(self, console, subscription):
        console.press("subscription.cancel", subscription.stripe_id)

        assert data_of(subscription.stripe_id)["status"] == "canceled"

    def test_cancel_at_period_end_can_be_taken_back(self, console, subscription):
        console.press("subscription.end", subscription.stripe_id)
        planned = data_of(subscription.stripe_id)["cancel_at_period_end"]
        console.press("subscription.keep", subscription.stripe_id)

        assert planned is True
        assert data_of(subscription.stripe_id)["cancel_at_period_end"] is False

    def test_renewals_fail_and_succeed_as_chosen(self, console, subscription):
        console.press("subscription.fail", subscription.stripe_id)
        console.press("clock.advance", str(32 * 86_400))
        failed = data_of(subscription.stripe_id)["status"]
        console.press("subscription.succeed", subscription.stripe_id)
        console.press("clock.advance", str(32 * 86_400))

        assert failed == "past_due"
        assert data_of(subscription.stripe_id)["status"] == "active"


class TestInvoiceButton:
    def test_pays_what_a_failed_renewal_has_left_open(self, console, subscription):
        console.press("subscription.fail", subscription.stripe_id)
        console.press("clock.advance", str(32 * 86_400))
        invoice = data_of(subscription.stripe_id)["latest_invoice"]
        offered = f"invoice.pay {invoice}" in console.read(f"/objects/{invoice}")

        console.press("invoice.pay", invoice)

        assert offered
        assert data_of(invoice)["status"] == "paid"
        assert f"invoice.pay {invoice}" not in console.read(f"/objects/{invoice}")
