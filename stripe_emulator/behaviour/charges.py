"""Charges succeed, fail or wait, and the balance follows: https://docs.stripe.com/reports/balance-transaction-types"""

from stripe_emulator import store
from stripe_emulator.behaviour.cards import decline_message, error_code
from stripe_emulator.behaviour.payment_methods import test_method_of
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.charge import (
    APPROVED,
    declined_outcome,
    fee_detail,
    new_balance_transaction,
    new_charge,
    payment_method_details,
)

# European cards in euros: 1.5 % and 25 cents: https://stripe.com/fr/pricing
BASIS_POINTS, FIXED_FEE = 150, 25
DISPUTE_FEE = 2000
SECONDS_UNTIL_AVAILABLE = 3 * 24 * 3600  # seconds until the money is available
FEE_DESCRIPTIONS = {"charge": "Stripe processing fees", "adjustment": "Dispute fee"}
COPIED_FROM_INTENT = (
    "currency", "customer", "description", "metadata", "receipt_email", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip
AVAILABLE_AT_ONCE = "bypassPending"


def fee_for(amount: int) -> int:
    """What Stripe keeps of a charge, in minor units."""
    return round(amount * BASIS_POINTS / 10_000) + FIXED_FEE


def record_movement(
    kind: str,
    amount: int,
    *,
    about: StoredObject,
    at: int,
    fee: int = 0,
    category: str = "",
    is_available: bool = False,
) -> StoredObject:
    """Note that this amount (minor units, negative when it leaves) has moved because of `about`.

    `kind`: Stripe's `type`, such as "charge", "refund", "adjustment"; `category`: its `reporting_category`.
    """
    currency = about.data["currency"]
    details = [fee_detail(fee, currency=currency, description=FEE_DESCRIPTIONS.get(kind, "Stripe fee"))] if fee else []
    moved = new_balance_transaction(
        at,
        type=kind,
        reporting_category=category or kind,
        amount=amount,
        fee=fee,
        fee_details=details,
        net=amount - fee,
        currency=currency,
        source=about.stripe_id,
        description=about.data.get("description"),
        available_on=at if is_available else at + SECONDS_UNTIL_AVAILABLE,
        status="available" if is_available else "pending",
    )
    return store.keep(moved, parent=about)


def create_succeeded(intent: StoredObject, method: StoredObject, *, at: int) -> StoredObject:
    """The buyer has paid."""
    fields = {"captured": True, "amount_captured": intent.data["amount"], "outcome": APPROVED}
    return _create_charge(intent, method, at=at, status="succeeded", paid=True, **fields)


def create_failed(intent: StoredObject, method: StoredObject, *, at: int, decline_code: str) -> StoredObject:
    """The bank has declined."""
    return _create_charge(
        intent,
        method,
        at=at,
        status="failed",
        outcome=declined_outcome(decline_code),
        failure_code=error_code(decline_code),
        failure_message=decline_message(decline_code),
    )


def create_pending(intent: StoredObject, method: StoredObject, *, at: int) -> StoredObject:
    """The debit is on its way."""
    amount = intent.data["amount"]
    return _create_charge(
        intent, method, at=at, status="pending", captured=True, amount_captured=amount, outcome=APPROVED
    )


def attach_balance(charge: StoredObject, *, at: int) -> None:
    """The money arrives a moment after the success: https://docs.stripe.com/payments/payment-intents/async-capture"""
    amount = charge.data["amount_captured"]
    moved = record_movement(
        "charge",
        amount,
        about=charge,
        at=at,
        fee=fee_for(amount),
        is_available=charge.hidden["test"] == AVAILABLE_AT_ONCE,
    )
    previous = charge.change(balance_transaction=moved.stripe_id)
    emit("charge.updated", charge, at=at, previous=previous)


def _create_charge(intent: StoredObject, method: StoredObject, *, at: int, **fields: object) -> StoredObject:
    """A charge for the whole amount of the intent, whose own it becomes as `latest_charge`."""
    test = test_method_of(method)
    is_authenticated = bool(intent.hidden.get("is_authenticated"))
    charge = new_charge(
        at,
        amount=intent.data["amount"],
        payment_intent=intent.stripe_id,
        payment_method=method.stripe_id,
        payment_method_details=payment_method_details(
            method.data, amount=intent.data["amount"], is_authenticated=is_authenticated
        ),
        billing_details=method.data["billing_details"],
        **{name: intent.data[name] for name in COPIED_FROM_INTENT},
        **fields,
    )
    hidden: Json = {"test": test.name, "refunds": test.refunds}
    if intent.hidden.get("invoice"):
        hidden["invoice"] = intent.hidden["invoice"]
    kept = store.keep(charge, parent=intent, **hidden)
    intent.change(latest_charge=kept.stripe_id)
    return kept
