"""What the tests of subscriptions and invoices begin with, made through the official client."""

from typing import Any

from stripe_emulator import clock, store, timers
from stripe_emulator.models import Event, StoredObject

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
DECLINED = "pm_card_chargeCustomerFail"
ASKS = "pm_card_threeDSecure2Required"
IBAN_THAT_PAYS, IBAN_THAT_FAILS = "FR1420041010050500013M02606", "FR8420041010050500013M02607"


def customer_with(api: Any, method: str = "pm_card_visa", **fields: Any) -> Any:
    """A customer who pays invoices with this method."""
    default = {"payment_method": method, "invoice_settings": {"default_payment_method": method}}
    return api.customers.create({"email": "ada@example.com", **default, **fields})


def debit_of(api: Any, customer: Any, iban: str) -> str:
    """The customer's bank account, to be debited."""
    billing = {"name": "Ada", "email": "ada@example.com"}
    method = api.payment_methods.create(
        {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": billing}
    )
    return api.payment_methods.attach(method.id, {"customer": customer.id}).id


def price_of(api: Any, amount: int = 1500, interval: str = "month", **recurring: Any) -> Any:
    """A price in euros that recurs."""
    product = api.products.create({"name": "Gold"})
    fields = {"interval": interval, **recurring}
    return api.prices.create({"product": product.id, "unit_amount": amount, "currency": "eur", "recurring": fields})


def subscribe(api: Any, customer: Any, price: Any, **params: Any) -> Any:
    """One of the price."""
    return api.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}], **params})


def types_since(number: int = 0, *, of: str = "") -> list[str]:
    """Types of the events after this one, in order; `of` is what the types begin with."""
    rows = Event.objects.filter(number__gt=number, type__startswith=of).order_by("number")
    return list(rows.values_list("type", flat=True))


def last_event() -> int:
    """The number of the newest event."""
    newest = Event.objects.order_by("-number").first()
    return newest.number if newest else 0


def stored(id: str) -> Any:
    """The object as the emulator keeps it: the SDK makes other types of some fields."""
    return StoredObject.objects.get(stripe_id=id).data


def invoices_of(api: Any, subscription: Any) -> list[Any]:
    """Those of the subscription, the oldest first."""
    found: list[Any] = api.invoices.list({"subscription": subscription.id}).data
    return found[::-1]


def period_of(api: Any, subscription: Any) -> tuple[int, int]:
    """Begin and end of its current period."""
    item = api.subscriptions.retrieve(subscription.id)["items"].data[0]
    return item.current_period_start, item.current_period_end


def advance_past(api: Any, subscription: Any) -> None:
    """To the end of its period, and until the invoice of the next one has been tried."""
    _, end = period_of(api, subscription)
    now = clock.now_for(store.get("subscription", subscription.id))
    timers.advance(end - now + HOUR + MINUTE)


def draft_for(api, customer, *amounts: int, **params):
    """A draft over these amounts in euros."""
    for amount in amounts or (2000,):
        api.invoice_items.create({"customer": customer.id, "amount": amount, "currency": "eur"})
    return api.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include", **params})


def open_for(api, customer, *amounts: int, **params):
    return api.invoices.finalize_invoice(draft_for(api, customer, *amounts, **params).id)
