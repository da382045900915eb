"""Payments through the official client, and what happened because of them."""

from typing import Any

from stripe_emulator.models import Event

SEPA_SUCCEEDS, SEPA_FAILS = "AT611904300234573201", "AT861904300235473202"
OWNER = {"name": "Ada", "email": "ada@example.com"}


def pay(stripe_api: Any, method: str = "pm_card_visa", **params: Any) -> Any:
    """A PaymentIntent over 49 €, confirmed with the method."""
    asked = {"amount": 4900, "currency": "eur", "payment_method": method, "confirm": True, **params}
    return stripe_api.payment_intents.create(asked)


def debit(stripe_api: Any, iban: str) -> Any:
    """A PaymentIntent over 49 € that is taken from a bank account."""
    method = stripe_api.payment_methods.create(
        {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": OWNER}
    )
    return pay(stripe_api, method.id)


def event_types(about: str = "") -> list[str]:
    """The types of all events so far (about this object), in the order in which they happened."""
    events = Event.objects.filter(object_id=about) if about else Event.objects.all()
    return list(events.order_by("number").values_list("type", flat=True))
