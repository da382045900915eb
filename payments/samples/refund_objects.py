"""Sample objects of money that goes back or may have to: charge, refund, dispute, warning of fraud.

Refunds and disputes carry no metadata of ours, as in real life.
"""

from payments.samples.story import Json, Story

CHARGE_USUAL: Json = {
    "object": "charge",
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "calculated_statement_descriptor": "SAMPLE",
    "captured": True,
    "customer": None,
    "description": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "on_behalf_of": None,
    "outcome": {
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete.",
        "type": "authorized",
    },
    "paid": True,
    "payment_method": "pm_1sample",
    "payment_method_details": {
        "card": {
            "brand": "visa",
            "country": "FR",
            "exp_month": 12,
            "exp_year": 2034,
            "funding": "credit",
            "last4": "4242",
            "network": "visa",
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    },
    "radar_options": {},
    "receipt_email": None,
    "receipt_number": None,
    "review": None,
    "shipping": None,
    "source": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
    "transfer_group": None,
}
CHARGE_OLD: Json = {"invoice": None}
CHARGE_CURRENT: Json = {"presentment_details": None}
REFUND_USUAL: Json = {
    "object": "refund",
    "metadata": {},
    "reason": "requested_by_customer",
    "receipt_number": None,
    "source_transfer_reversal": None,
    "transfer_reversal": None,
}
REFUND_CURRENT: Json = {"customer_account": None, "payment_method": None, "presentment_details": None}
DISPUTE_USUAL: Json = {
    "object": "dispute",
    "balance_transactions": [],
    "evidence": {"customer_email_address": None, "customer_name": None, "uncategorized_text": None},
    "metadata": {},
    "network_reason_code": "10.4",
    "payment_method_details": {"card": {"brand": "visa", "network_reason_code": "10.4"}, "type": "card"},
    "reason": "fraudulent",
}
CASES = {"prevented": "resolution", "warning_needs_response": "inquiry", "warning_under_review": "inquiry"}
DISPUTE_CURRENT: Json = {"enhanced_eligibility_types": []}
ANSWERABLE_STATUSES = ("needs_response", "warning_needs_response", "appeal_needs_response")
WEEK_SECONDS = 7 * 24 * 3600


def refunded_charge(story: Story) -> Json:
    """The charge that paid, with the running total of what went back."""
    subject = story.subject
    return {
        **CHARGE_USUAL,
        **story.by_shape(old=CHARGE_OLD, current=CHARGE_CURRENT),
        "id": story.charge,
        "amount": subject.amount,
        "amount_captured": subject.amount,
        "amount_refunded": story.amount,
        "balance_transaction": story.charge.replace("ch_", "txn_", 1),
        "billing_details": {"address": None, "email": subject.email, "name": subject.name, "phone": None},
        "created": story.after(seconds=45),
        "currency": subject.currency,
        "livemode": subject.livemode,
        "metadata": story.metadata,
        "payment_intent": story.payment_intent,
        "receipt_url": f"https://pay.stripe.com/receipts/{story.charge}",
        "refunded": story.amount >= subject.amount,
    }


def refund(story: Story, *, usual_status: str = "succeeded") -> Json:
    """The refund as it stands with the status asked for."""
    status = story.variation.status or usual_status
    failure = {"failure_reason": "expired_or_canceled_card"} if status == "failed" else {}
    return {
        **REFUND_USUAL,
        **story.by_shape(old={}, current=REFUND_CURRENT),
        **failure,
        "id": story.refund,
        "amount": story.amount,
        "balance_transaction": story.refund.replace("re_", "txn_", 1),
        "charge": story.charge,
        "created": story.now(),
        "currency": story.subject.currency,
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "payment_intent": story.payment_intent,
        "status": status,
    }


def failed_refund(story: Story) -> Json:
    """The money came back to us."""
    return refund(story, usual_status="failed")


def fraud_warning(story: Story, *, is_actionable: bool) -> Json:
    """What a card network warns of; both shapes of the API are alike."""
    return {
        "id": story.fraud_warning,
        "object": "radar.early_fraud_warning",
        "actionable": is_actionable,
        "charge": story.charge,
        "created": story.now(),
        "fraud_type": "made_with_stolen_card",
        "livemode": story.subject.livemode,
        "payment_intent": story.payment_intent,
    }


def _case(story: Story, status: str) -> Json:
    """What kind of case it is, and what it has moved on our balance."""
    card = {**DISPUTE_USUAL["payment_method_details"]["card"], "case_type": CASES.get(status, "chargeback")}
    moved = [{"id": story.dispute.replace("du_", "txn_", 1), "amount": -story.amount}] if status == "prevented" else []
    return {"payment_method_details": {"card": card, "type": "card"}, "balance_transactions": moved}


def dispute(story: Story, *, usual_status: str) -> Json:
    """The dispute as it stands with the status asked for; one that was prevented has been settled with the buyer."""
    status = story.variation.status or usual_status
    return {
        **DISPUTE_USUAL,
        **story.by_shape(old={}, current={**DISPUTE_CURRENT, **_case(story, status)}),
        "id": story.dispute,
        "amount": story.amount,
        "charge": story.charge,
        "created": story.now(),
        "currency": story.subject.currency,
        "evidence_details": {
            "due_by": story.now() + WEEK_SECONDS if status in ANSWERABLE_STATUSES else None,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": story.subject.livemode,
        "payment_intent": story.payment_intent,
        "status": status,
    }
