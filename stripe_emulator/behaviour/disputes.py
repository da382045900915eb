"""Chargebacks and inquiries: https://docs.stripe.com/disputes/how-disputes-work"""

from stripe_emulator import store
from stripe_emulator.behaviour.charges import DISPUTE_FEE, record_movement, settle_fraud_warnings
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.charge import card_case, evidence_details, new_dispute
from stripe_emulator.timers import drop_timer, reacts_to, set_timer

INQUIRY, CHARGEBACK, RESOLUTION = "inquiry", "chargeback", "resolution"
REASON_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}
SECONDS_TO_RESPOND = 9 * 24 * 3600
SECONDS_TO_DECIDE = 5
AWAITING_ANSWER = ("needs_response", "warning_needs_response")
OPEN_STATUSES = (*AWAITING_ANSWER, "under_review", "warning_under_review")
# https://docs.stripe.com/testing#evidence
VERDICTS = {"winning_evidence": True, "losing_evidence": False}


def open_dispute(
    charge: StoredObject, *, at: int, reason: str = "fraudulent", inquiry: bool = False, amount: int | None = None
) -> StoredObject:
    """The buyer's bank asks for `amount`, usually for all that is not refunded yet; an inquiry moves no money.

    Raises StripeRefusal.
    """
    amount = _disputable(charge, amount)
    status, case = ("warning_needs_response", INQUIRY) if inquiry else ("needs_response", CHARGEBACK)
    dispute = _create_dispute(charge, amount, at=at, reason=reason, status=status, case=case)
    if not inquiry:
        _move_money(dispute, -amount, at=at, fee=DISPUTE_FEE, category="dispute")
    emit("charge.dispute.created", dispute, at=at)
    if not inquiry:
        emit("charge.dispute.funds_withdrawn", dispute, at=at)
    settle_fraud_warnings(charge, at=at)
    return dispute


def prevent_dispute(charge: StoredObject, *, at: int, amount: int | None = None) -> StoredObject:
    """Settled with the buyer by the card network before it becomes a dispute: the money is gone, without a fee.

    https://docs.stripe.com/disputes/prevention Raises StripeRefusal.
    """
    amount = _disputable(charge, amount)
    dispute = _create_dispute(charge, amount, at=at, reason="fraudulent", status="prevented", case=RESOLUTION)
    _move_money(dispute, -amount, at=at, fee=0, category="dispute")
    emit("charge.dispute.created", dispute, at=at)
    emit("charge.dispute.closed", dispute, at=at)
    settle_fraud_warnings(charge, at=at)
    return dispute


def _disputable(charge: StoredObject, amount: int | None) -> int:
    """So much of what is not refunded yet, by default all of it. Raises StripeRefusal."""
    left = charge.data["amount"] - charge.data["amount_refunded"]
    if not (charge.data["paid"] and charge.data["captured"] and 0 < (left if amount is None else amount) <= left):
        raise StripeRefusal(f"Charge {charge.stripe_id} has no such money that could be disputed.", param="charge")
    return left if amount is None else amount


def close_dispute(dispute: StoredObject, *, at: int, won: bool) -> None:
    """The bank has decided, or we have given up; an inquiry only ends. Raises StripeRefusal if it is closed already."""
    _require_open(dispute)
    drop_timer("dispute.decide", dispute)
    is_inquiry = dispute.data["status"].startswith("warning_")
    status = "warning_closed" if is_inquiry else "won" if won else "lost"
    previous = dispute.change(status=status)
    gets_money_back = won and not is_inquiry
    if gets_money_back:
        _move_money(dispute, dispute.data["amount"], at=at, fee=-DISPUTE_FEE, category="dispute_reversal")
    emit("charge.dispute.updated", dispute, at=at, previous=previous)
    emit("charge.dispute.closed", dispute, at=at)
    if gets_money_back:
        emit("charge.dispute.funds_reinstated", dispute, at=at)


def update_dispute(dispute: StoredObject, *, at: int, evidence: Json, metadata: Json, submit: bool) -> None:
    """Keep the evidence and hand it in; a text that asks for a verdict gets it soon. Raises StripeRefusal when closed.

    `metadata`: what is there afterwards.
    """
    changes: Json = {"metadata": metadata}
    if evidence or submit:
        _require_open(dispute)
        changes |= _evidence_changes(dispute, evidence, submit=submit)
    if previous := dispute.change(**changes):
        emit("charge.dispute.updated", dispute, at=at, previous=previous)
    if submit and dispute.data["evidence"]["uncategorized_text"] in VERDICTS:
        set_timer("dispute.decide", dispute, at=at + SECONDS_TO_DECIDE)


@reacts_to("dispute.decide")
def _decide(dispute: StoredObject, *, at: int) -> None:
    """The verdict that the evidence asked for."""
    if dispute.data["status"] in OPEN_STATUSES:
        close_dispute(dispute, at=at, won=VERDICTS[dispute.data["evidence"]["uncategorized_text"]])


def _evidence_changes(dispute: StoredObject, evidence: Json, *, submit: bool) -> Json:
    """The fields that evidence changes; an empty value unsets its text."""
    texts = {**dispute.data["evidence"], **{name: value or None for name, value in evidence.items()}}
    details = dispute.data["evidence_details"] | {"has_evidence": True}
    changes: Json = {"evidence": texts, "evidence_details": details}
    if submit:
        details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
        changes["status"] = dispute.data["status"].replace("needs_response", "under_review")
    return changes


def _create_dispute(charge: StoredObject, amount: int, *, at: int, reason: str, status: str, case: str) -> StoredObject:
    charge.change(disputed=True)
    fields: Json = {"currency": charge.data["currency"], "payment_intent": charge.data["payment_intent"]}
    if card := charge.data["payment_method_details"].get("card"):
        code = REASON_CODES.get(reason, "10.4")
        details = card_case(card["brand"], case_type=case, network_reason_code=code)
        fields |= {"network_reason_code": code, "payment_method_details": details}
    data = new_dispute(
        at,
        amount=amount,
        charge=charge.stripe_id,
        reason=reason,
        status=status,
        is_charge_refundable=case == INQUIRY,
        evidence_details=evidence_details(None if case == RESOLUTION else at + SECONDS_TO_RESPOND),
        **fields,
    )
    return store.keep(data, parent=charge)


def _move_money(dispute: StoredObject, amount: int, *, at: int, fee: int, category: str) -> None:
    moved = record_movement("adjustment", amount, about=dispute, at=at, fee=fee, category=category)
    dispute.change(balance_transactions=[*dispute.data["balance_transactions"], moved.data])


def _require_open(dispute: StoredObject) -> None:
    if dispute.data["status"] not in OPEN_STATUSES:
        raise StripeRefusal(f"This dispute is already closed: its status is {dispute.data['status']}.")
