"""Attempts to move money: they succeed, fail or wait; the balance follows."""

from stripe_emulator import store
from stripe_emulator.events.emit import emit
from stripe_emulator.life.balances import fee_for, move
from stripe_emulator.life.declines import code_of, message_of
from stripe_emulator.life.methods import outcome_of
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.charge import APPROVED, declined_outcome, method_details, new_charge

COPIED = (
    "currency",
    "customer",
    "description",
    "metadata",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
AVAILABLE_AT_ONCE = "bypassPending"


def make_succeeded(intent: StoredObject, method: StoredObject, *, at: int, is_captured: bool) -> StoredObject:
    """The buyer has paid, or at least the money is reserved."""
    amount = intent.data["amount"]
    captured = amount if is_captured else 0
    return _keep(
        intent,
        method,
        at=at,
        status="succeeded",
        paid=True,
        captured=is_captured,
        amount_captured=captured,
        outcome=APPROVED,
    )


def make_failed(intent: StoredObject, method: StoredObject, *, at: int, decline_code: str) -> StoredObject:
    """The bank has declined."""
    return _keep(
        intent,
        method,
        at=at,
        status="failed",
        outcome=declined_outcome(decline_code),
        failure_code=code_of(decline_code),
        failure_message=message_of(decline_code),
    )


def make_pending(intent: StoredObject, method: StoredObject, *, at: int) -> StoredObject:
    """The debit is on its way."""
    amount = intent.data["amount"]
    return _keep(intent, method, at=at, status="pending", captured=True, amount_captured=amount, outcome=APPROVED)


def attach_balance(charge: StoredObject, *, at: int) -> None:
    """The money arrives a moment after the success: https://docs.stripe.com/payments/payment-intents/async-capture"""
    amount = charge.data["amount_captured"]
    moved = move(
        "charge",
        amount,
        about=charge,
        at=at,
        fee=fee_for(amount),
        is_available=charge.hidden["test"] == AVAILABLE_AT_ONCE,
    )
    previous = charge.change(balance_transaction=moved.stripe_id)
    emit("charge.updated", charge, at=at, previous=previous)


def _keep(intent: StoredObject, method: StoredObject, *, at: int, **fields: object) -> StoredObject:
    """A charge for the whole amount of the intent, whose own it becomes as `latest_charge`."""
    test = outcome_of(method)
    is_authenticated = bool(intent.hidden.get("is_authenticated"))
    charge = new_charge(
        at,
        amount=intent.data["amount"],
        payment_intent=intent.stripe_id,
        payment_method=method.stripe_id,
        payment_method_details=method_details(
            method.data, amount=intent.data["amount"], is_authenticated=is_authenticated
        ),
        billing_details=method.data["billing_details"],
        **{name: intent.data[name] for name in COPIED},
        **fields,
    )
    hidden: Json = {"test": test.name, "refunds": test.refunds}
    if intent.hidden.get("invoice"):
        hidden["invoice"] = intent.hidden["invoice"]
    kept = store.keep(charge, parent=intent, **hidden)
    intent.change(latest_charge=kept.stripe_id)
    return kept
