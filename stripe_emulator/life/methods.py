"""Ways to pay: made, attached to a customer, detached. What comes of them when they pay is their TestMethod's."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from stripe_emulator import store
from stripe_emulator.errors import NoSuchObject, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import cards
from stripe_emulator.life.cards import TestMethod
from stripe_emulator.life.declines import declined
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.payment_method import billing_details as complete
from stripe_emulator.shapes.payment_method import card_fields, debit_fields, new_payment_method

USUAL_MONTH, YEARS_VALID = 12, 3


def make_method(
    at: int,
    *,
    test: TestMethod,
    billing_details: Json | None = None,
    parent: StoredObject | None = None,
    expiry: Json | None = None,
    **fields: object,
) -> StoredObject:
    """A new way to pay, attached to nobody. `expiry`: `exp_month` and `exp_year` of a card, if they were told."""
    details = {test.type: card_of(test, at, expiry) if test.type == "card" else _debit_of(test)}
    method = new_payment_method(at, type=test.type, billing_details=complete(billing_details), **details, **fields)
    return store.keep(method, parent=parent, test=test.name)


def outcome_of(method: StoredObject) -> TestMethod:
    """What will come of it."""
    return cards.named(method.hidden["test"])


def usable(id_or_alias: str, *, at: int, parent: StoredObject | None = None) -> StoredObject:
    """The stored method, or a new one for an alias such as "pm_card_visa". Raises NoSuchObject."""
    found = store.find("payment_method").filter(stripe_id=id_or_alias).first()
    if found:
        return found
    if cards.is_alias(id_or_alias):
        return make_method(at, test=cards.find_by_alias(id_or_alias), parent=parent)
    return from_token(id_or_alias, at=at, parent=parent)


def from_token(id: str, *, at: int, parent: StoredObject | None = None, **fields: Any) -> StoredObject:
    """A new card method from "tok_visa" or a stored token, which serves once. Raises NoSuchObject, StripeRefusal.

    `fields`: as `make_method` takes them.
    """
    if not id.startswith("tok_"):
        raise NoSuchObject("PaymentMethod", id, param="payment_method")
    if cards.is_alias(id):
        return make_method(at, test=cards.find_by_alias(id), parent=parent, **fields)
    token = store.get("token", id, param="token", lock=True)
    if token.data["used"]:
        message = f"You cannot use a Stripe token more than once: {id}."
        raise StripeRefusal(message, code="token_already_used", param="token")
    token.change(used=True)
    expiry = {name: token.data["card"][name] for name in ("exp_month", "exp_year")}
    return make_method(at, test=cards.named(token.hidden["test"]), parent=parent, expiry=expiry, **fields)


def attach(method: StoredObject, customer: StoredObject, at: int) -> None:
    """Keep it with the customer. Raises StripeRefusal for what was used up, CardDeclined for what the bank refuses."""
    if method.data["customer"] == customer.stripe_id:
        return
    refuse_spent(method)
    if method.data["customer"]:
        message = "The payment method you provided has already been attached to a customer."
        raise StripeRefusal(message, code="payment_method_unexpected_state", param="payment_method")
    test = outcome_of(method)
    if test.decline_at_attach:
        raise declined(test.decline_code)
    method.change(customer=customer.stripe_id)
    emit("payment_method.attached", method, at=at)


def detach(method: StoredObject, at: int) -> None:
    """Take it from its customer for ever. Raises StripeRefusal if it has none."""
    if not method.data["customer"]:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise StripeRefusal(message, code="payment_method_unexpected_state", param="payment_method")
    previous = method.change(customer=None)
    method.remember(is_spent=True)
    emit("payment_method.detached", method, at=at, previous=previous)


def refuse_spent(method: StoredObject) -> None:
    """Raises StripeRefusal for a method that paid without a customer, or was detached: it cannot be used again.

    https://docs.stripe.com/payments/payment-methods#reuse
    """
    if method.hidden.get("is_spent"):
        message = (
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
        raise StripeRefusal(message, code="payment_method_unexpected_state", param="payment_method")


def belongs(method: StoredObject, customer_id: str | None) -> None:
    """Raises StripeRefusal if the method is another customer's."""
    owner = method.data["customer"]
    if owner and owner != customer_id:
        message = f"The PaymentMethod {method.stripe_id} belongs to the Customer {owner}."
        raise StripeRefusal(f"{message} You must supply this Customer.", param="payment_method")


def card_of(test: TestMethod, at: int, expiry: Json | None = None) -> Json:
    """The `card` that a method of this kind shows."""
    year = datetime.fromtimestamp(at, UTC).year + YEARS_VALID
    valid = {"exp_month": USUAL_MONTH, "exp_year": year, **(expiry or {})}
    return card_fields(
        **valid,
        brand=test.brand,
        country=test.country,
        funding=test.funding,
        last4=test.last4,
        mark=_fingerprint(test),
    )


def _debit_of(test: TestMethod) -> Json:
    return debit_fields(iban=test.number, country=test.country, mark=_fingerprint(test))


def _fingerprint(test: TestMethod) -> str:
    return hashlib.sha256(test.number.encode()).hexdigest()[:16]
