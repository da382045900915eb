"""A buyer who asks the bank for the money: https://docs.stripe.com/api/disputes/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
USUAL: Json = {
    "object": "dispute",
    "balance_transactions": [],
    "enhanced_eligibility_types": [],
    "evidence": {**dict.fromkeys(TEXTS), "enhanced_evidence": {}},
    "is_charge_refundable": False,
    "livemode": False,
    "metadata": {},
    "network_reason_code": None,
    "payment_intent": None,
    "payment_method_details": None,
}


def new_dispute(at: int, **fields: object) -> Json:
    """A dispute opened at this moment; amount, charge, reason, status, … must be among the fields."""
    return {**USUAL, "id": new_id("du_1"), "created": at, **fields}


def evidence_details(due_by: int) -> Json:
    """Nothing was said yet; `due_by` is the Unix time until which it can be."""
    return {
        "due_by": due_by,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
        "submission_method": "not_submitted",
    }


def card_case(brand: str, *, case_type: str, network_reason_code: str) -> Json:
    """`payment_method_details` of a dispute about a card. `case_type`: "chargeback" or "inquiry"."""
    card = {"brand": brand, "case_type": case_type, "network": brand, "network_reason_code": network_reason_code}
    return {"card": card, "type": "card"}
