"""Parameters of Checkout sessions, as a seller would send them, and what became of the sessions."""

from typing import Any

from stripe_emulator import store
from stripe_emulator.behaviour.checkout import answer_authentication
from stripe_emulator.clock import now_for
from stripe_emulator.models import Event, StoredObject

SUCCESS = "https://seller.example/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL = "https://seller.example/cart"
CARD, DECLINED, ASKING = "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_authenticationRequired"
ADA = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "address": {"city": "Lyon", "country": "FR", "postal_code": "69001"},
}


def line(amount: int = 1500, *, quantity: int = 2, currency: str = "eur", name: str = "Course", **data: Any) -> Any:
    """A line item that brings its own price."""
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": name}, **data}
    return {"price_data": price, "quantity": quantity}


def monthly(amount: int = 900) -> Any:
    """A line that is paid every month."""
    return line(amount, quantity=1, name="Membership", recurring={"interval": "month"})


def session_params(**more: Any) -> Any:
    """A session over €30.00, changed by what is given; None leaves a parameter out."""
    usual = {"mode": "payment", "success_url": SUCCESS, "cancel_url": CANCEL, "line_items": [line()]}
    return {name: value for name, value in {**usual, **more}.items() if value is not None}


def subscription_params(**more: Any) -> Any:
    """A session that begins a membership of €9.00 a month."""
    return session_params(**{"mode": "subscription", "line_items": [monthly()], **more})


def setup_params(**more: Any) -> Any:
    """A session that keeps a card."""
    return session_params(**{"mode": "setup", "line_items": None, "currency": "eur", **more})


def session_of(id: str) -> StoredObject:
    """The session as it is now."""
    return StoredObject.objects.get(stripe_id=id)


def told() -> list[str]:
    """The types of all events, in order."""
    return list(Event.objects.order_by("number").values_list("type", flat=True))


def answering(id: str, *, succeeded: bool) -> StoredObject:
    """The buyer has answered the bank's question."""
    session = store.get("checkout.session", id, lock=True)
    answer_authentication(session, at=now_for(session), succeeded=succeeded)
    return session
