"""Charges succeed, fail or wait, and the balance follows: https://docs.stripe.com/reports/balance-transaction-types"""

from stripe_emulator import store
from stripe_emulator.behaviour.cards import decline_message, error_code
from stripe_emulator.behaviour.payment_methods import test_method_of
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects import charge as shapes
from stripe_emulator.timers import set_timer

# European cards in euros: 1.5 % and 25 cents: https://stripe.com/fr/pricing
BASIS_POINTS, FIXED_FEE = 150, 25
DISPUTE_FEE = 2000
SECONDS_UNTIL_AVAILABLE = 3 * 24 * 3600  # seconds until the money is available
# Paid out once a day (stripe_emulator.behaviour.payouts).
PAYOUT, DAY = "payout", 24 * 3600
FEE_DESCRIPTIONS = {"charge": "Stripe processing fees", "adjustment": "Dispute fee"}
COPIED_FROM_INTENT = (
    "amount", "currency", "customer", "description", "metadata", "receipt_email", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip
AVAILABLE_AT_ONCE = "bypassPending"
FRAUD_WARNING = "radar.early_fraud_warning"


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
    sums: Json = {"amount": amount, "fee": fee, "net": amount - fee, "currency": currency}
    names = {"type": kind, "reporting_category": category or kind, "description": about.data.get("description")}
    wait = 0 if is_available else SECONDS_UNTIL_AVAILABLE
    availability = {"available_on": at + wait, "status": "pending" if wait else "available"}
    details = (
        [shapes.fee_detail(fee, currency=currency, description=FEE_DESCRIPTIONS.get(kind, "Stripe fee"))] if fee else []
    )
    moved = shapes.new_balance_transaction(
        at, source=about.stripe_id, fee_details=details, **sums, **names, **availability
    )
    kept = store.keep(moved, parent=about)
    if kind != PAYOUT:
        set_timer(PAYOUT, kept, at=_next_midnight(kept))
    return kept


def _next_midnight(moved: StoredObject) -> int:
    """The first one (UTC by the emulator's clock) at which the money is available, in the movement's own time."""
    available_on = int(moved.data["available_on"])
    return available_on + -(available_on + moved.ahead) % DAY


def attach_balance(charge: StoredObject, *, at: int) -> None:
    """The money arrives a moment after the success: https://docs.stripe.com/payments/payment-intents/async-capture"""
    amount, is_available = charge.data["amount_captured"], charge.hidden["test"] == AVAILABLE_AT_ONCE
    fee = round(amount * BASIS_POINTS / 10_000) + FIXED_FEE
    moved = record_movement("charge", amount, about=charge, at=at, fee=fee, is_available=is_available)
    previous = charge.change(balance_transaction=moved.stripe_id)
    emit("charge.updated", charge, at=at, previous=previous)


def create_charge(
    intent: StoredObject, method: StoredObject, *, at: int, status: str, decline_code: str = ""
) -> StoredObject:
    """A charge for the whole amount of the intent, whose own it becomes as `latest_charge`.

    `status`: "succeeded", "pending" while a debit is on its way, or "failed" with the bank's decline code.
    """
    test, amount = test_method_of(method), intent.data["amount"]
    is_authenticated = bool(intent.hidden.get("is_authenticated"))
    details = shapes.payment_method_details(method.data, amount=amount, is_authenticated=is_authenticated)
    charge = shapes.new_charge(
        at,
        **{name: intent.data[name] for name in COPIED_FROM_INTENT},
        payment_intent=intent.stripe_id,
        payment_method=method.stripe_id,
        payment_method_details=details,
        billing_details=method.data["billing_details"],
        status=status,
        **(_declined(decline_code) if decline_code else _captured(amount, status)),
    )
    hidden: Json = {"test": test.name, "refunds": test.refunds}
    if intent.hidden.get("invoice"):
        hidden["invoice"] = intent.hidden["invoice"]
    kept = store.keep(charge, parent=intent, **hidden)
    intent.change(latest_charge=kept.stripe_id)
    return kept


def _captured(amount: int, status: str) -> Json:
    return {"captured": True, "amount_captured": amount, "outcome": shapes.APPROVED, "paid": status == "succeeded"}


def _declined(code: str) -> Json:
    failure = {"failure_code": error_code(code), "failure_message": decline_message(code)}
    return {"outcome": shapes.declined_outcome(code), **failure}


def warn_of_fraud(charge: StoredObject, *, at: int, fraud_type: str = "made_with_stolen_card") -> StoredObject:
    """The card network believes that it is fraud: nothing moves by that.

    https://docs.stripe.com/api/radar/early_fraud_warnings
    """
    about = {"charge": charge.stripe_id, "payment_intent": charge.data["payment_intent"]}
    warning = store.keep(shapes.new_fraud_warning(at, fraud_type=fraud_type, **about), parent=charge)
    emit(f"{FRAUD_WARNING}.created", warning, at=at)
    return warning


def settle_fraud_warnings(charge: StoredObject, *, at: int) -> None:
    """The charge is disputed or wholly refunded: to give it back in time is not possible, or not needed, any more."""
    for warning in store.find(FRAUD_WARNING, charge=charge.stripe_id, actionable=True).select_for_update():
        emit(f"{FRAUD_WARNING}.updated", warning, at=at, previous=warning.change(actionable=False))
