"""Money given back: https://docs.stripe.com/refunds"""

from stripe_emulator import store
from stripe_emulator.behaviour.amounts import check_step, formatted_amount
from stripe_emulator.behaviour.charges import record_movement, settle_fraud_warnings
from stripe_emulator.behaviour.disputes import OPEN_STATUSES, close_dispute
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.charge import destination, new_refund
from stripe_emulator.timers import reacts_to, set_timer

BLOCKING_DISPUTES = ("needs_response", "under_review", "lost")
FAILURE = "expired_or_canceled_card"
SECONDS_UNTIL_OUTCOME = 5  # seconds until a refund of a troublesome card turns


def refund(
    charge: StoredObject,
    *,
    at: int,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Json | None = None,
) -> StoredObject:
    """Give back this amount (minor units), or all that is left; with some cards that takes a moment or fails later.

    Raises StripeRefusal.
    """
    amount = charge.data["amount"] - charge.data["amount_refunded"] if amount is None else amount
    _require_refundable(charge, amount)
    turns = charge.hidden.get("refunds")
    told = {"reason": reason or None, "metadata": metadata or {}}
    given = _create_refund(charge, amount, at=at, is_pending=turns == "pending", **told)
    _add_to_charge(charge, amount)
    emit("refund.created", given, at=at)
    emit("charge.refunded", charge, at=at)
    if turns:
        given.remember(turns_at=at + SECONDS_UNTIL_OUTCOME)
        _schedule_settling(charge)
    if charge.data["refunded"]:
        _end_inquiries(charge, at=at)
        settle_fraud_warnings(charge, at=at)
    return given


def fail_refund(refund: StoredObject, *, at: int) -> None:
    """The card's bank sends the money back to us. Raises StripeRefusal for a refund that has ended already."""
    _require_status(refund, ("succeeded", "pending"), "failed")
    changes: Json = {"status": "failed", "failure_reason": FAILURE}
    if refund.data["balance_transaction"]:
        back = record_movement("refund_failure", refund.data["amount"], about=refund, at=at)
        changes["failure_balance_transaction"] = back.stripe_id
    charge = store.get("charge", refund.data["charge"], lock=True)
    _add_to_charge(charge, -refund.data["amount"])
    _emit_updated(refund, refund.change(**changes), at=at)
    emit("refund.failed", refund, at=at)


def complete_refund(refund: StoredObject, *, at: int) -> None:
    """A pending refund goes through. Raises StripeRefusal for any other."""
    _require_status(refund, ("pending",), "completed")
    moved = record_movement("refund", -refund.data["amount"], about=refund, at=at)
    _emit_updated(refund, refund.change(status="succeeded", balance_transaction=moved.stripe_id), at=at)


def update_refund(refund: StoredObject, *, at: int, metadata: Json) -> None:
    """Keep other metadata."""
    if previous := refund.change(metadata=metadata):
        _emit_updated(refund, previous, at=at)


@reacts_to("charge.refunds")
def _settle_refunds(charge: StoredObject, *, at: int) -> None:
    """Refunds of troublesome cards turn some time after they were made."""
    for refund in _unsettled(charge):
        if refund.hidden["turns_at"] <= at:
            refund.remember(has_turned=True)
            if refund.data["status"] == "pending":
                complete_refund(refund, at=at)
            elif refund.data["status"] == "succeeded":
                fail_refund(refund, at=at)
    _schedule_settling(charge)


def _schedule_settling(charge: StoredObject) -> None:
    """Until the first of its refunds turns; they live in the time of the charge."""
    if waiting := _unsettled(charge):
        set_timer("charge.refunds", charge, at=min(refund.hidden["turns_at"] for refund in waiting))


def _unsettled(charge: StoredObject) -> list[StoredObject]:
    turning = store.find("refund", charge=charge.stripe_id).filter(hidden__has_key="turns_at").order_by("number")
    return [refund for refund in turning.select_for_update() if not refund.hidden.get("has_turned")]


def _end_inquiries(charge: StoredObject, *, at: int) -> None:
    """Whoever has the money back asks no more: https://docs.stripe.com/disputes/how-disputes-work#inquiries"""
    for inquiry in store.find("dispute", charge=charge.stripe_id).select_for_update():
        if inquiry.data["status"] in OPEN_STATUSES:
            close_dispute(inquiry, at=at, won=True)


def _require_refundable(charge: StoredObject, amount: int) -> None:
    id, data = charge.stripe_id, charge.data
    if not (data["paid"] and data["captured"]):
        raise StripeRefusal(f"Charge {id} does not have a successful payment to refund.", param="charge")
    if store.find("dispute", charge=id).filter(data__status__in=BLOCKING_DISPUTES).exists():
        message = f"Charge {id} has been charged back; cannot issue a refund."
        raise StripeRefusal(message, code="charge_disputed", param="charge")
    left = data["amount"] - data["amount_refunded"]
    if not left:
        raise StripeRefusal(f"Charge {id} has already been refunded.", code="charge_already_refunded", param="charge")
    if amount < 1:
        raise StripeRefusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        asked, rest = formatted_amount(amount, data["currency"]), formatted_amount(left, data["currency"])
        message = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})"
        raise StripeRefusal(message, param="amount")
    check_step(amount, data["currency"])


def _create_refund(charge: StoredObject, amount: int, *, at: int, is_pending: bool, **fields: object) -> StoredObject:
    paid: Json = {name: charge.data[name] for name in ("currency", "payment_intent")}
    back_to = destination(charge.data["payment_method_details"]["type"])
    if is_pending:
        fields |= {"status": "pending", "pending_reason": "processing"}
    data = new_refund(at, amount=amount, charge=charge.stripe_id, destination_details=back_to, **paid, **fields)
    kept = store.keep(data, parent=charge)
    if not is_pending:
        moved = record_movement("refund", -amount, about=kept, at=at)
        kept.change(balance_transaction=moved.stripe_id)
    return kept


def _add_to_charge(charge: StoredObject, amount: int) -> None:
    refunded = charge.data["amount_refunded"] + amount
    charge.change(amount_refunded=refunded, refunded=refunded == charge.data["amount"])


def _emit_updated(refund: StoredObject, previous: Json, *, at: int) -> None:
    """Both names of the same: https://docs.stripe.com/api/events/types#event_types-charge.refund.updated"""
    emit("refund.updated", refund, at=at, previous=previous)
    emit("charge.refund.updated", refund, at=at, previous=previous)


def _require_status(refund: StoredObject, statuses: tuple[str, ...], done: str) -> None:
    status = refund.data["status"]
    if status not in statuses:
        raise StripeRefusal(f"Refund {refund.stripe_id} cannot be {done}: it is {status}.")
