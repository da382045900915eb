"""Charges and what follows them: balance transactions, refunds, disputes: https://docs.stripe.com/api/charges/object"""

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import empty_lists, expandable, list_object, nulls, template, zeros
from stripe_emulator.store import new_id, random_text

new_charge = template(
    "charge",
    "ch_3",
    **zeros("amount_captured amount_refunded"),
    **nulls(
        "application application_fee application_fee_amount balance_transaction customer description "
        "failure_balance_transaction failure_code failure_message on_behalf_of outcome payment_intent payment_method "
        "receipt_email receipt_number receipt_url review shipping source source_transfer statement_descriptor "
        "statement_descriptor_suffix transfer_data transfer_group"
    ),
    calculated_statement_descriptor="Stripe",
    captured=False,
    disputed=False,
    fraud_details={},
    livemode=False,
    metadata={},
    paid=False,
    radar_options={},
    refunded=False,
)
"""Amount, currency, status and the details of its method must be among the fields."""
APPROVED: Json = {
    **nulls("advice_code network_advice_code network_decline_code reason"),
    "network_status": "approved_by_network",
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
SHARED_BY_CARDS = (
    "brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status",
)  # fmt: skip
SHARED_BY_DEBITS = ("bank_code", "branch_code", "country", "fingerprint", "last4")


def declined_outcome(reason: str) -> Json:
    """The `outcome` of a card that its bank declined."""
    return APPROVED | {
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": reason,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def payment_method_details(method: Json, *, amount: int, is_authenticated: bool) -> Json:
    """How it was paid, in the shape of a charge's `payment_method_details`."""
    if method["type"] == "sepa_debit":
        shared = {name: method["sepa_debit"][name] for name in SHARED_BY_DEBITS}
        return {"sepa_debit": {**shared, "mandate": new_id("mandate_1")}, "type": "sepa_debit"}
    card = method["card"]
    details = {
        **{name: card[name] for name in SHARED_BY_CARDS},
        **nulls("installments mandate wallet"),
        "amount_authorized": amount,
        "authorization_code": random_text(6).upper(),
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": random_text(15),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": AUTHENTICATED if is_authenticated else None,
    }
    return {"card": details, "type": "card"}


AUTHENTICATED: Json = {
    **nulls("exemption_indicator result_reason transaction_id"),
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "result": "authenticated",
    "version": "2.2.0",
}


@expandable("charge", "refunds")
def refunds(charge: StoredObject) -> Json:
    """The newest refunds of the charge: https://docs.stripe.com/changelog/2022-11-15"""
    rows = [refund.data for refund in store.find("refund", charge=charge.stripe_id)]
    return list_object(rows, url=f"/v1/charges/{charge.stripe_id}/refunds")


new_balance_transaction = template(
    "balance_transaction",
    "txn_3",
    balance_type="payments",
    description=None,
    exchange_rate=None,
    fee=0,
    fee_details=[],
    status="pending",
)
"""A movement; amounts, currency, type and source must be among the fields."""


def fee_detail(amount: int, *, currency: str, description: str) -> Json:
    """One part of the fee, in minor units."""
    about = {"amount": amount, "currency": currency, "description": description}
    return {"application": None, "type": "stripe_fee", **about}


new_refund = template(
    "refund",
    "re_3",
    **nulls(
        "balance_transaction charge customer customer_account description destination_details payment_intent "
        "payment_method reason receipt_number source_transfer_reversal transfer_reversal"
    ),
    metadata={},
    status="succeeded",
)
"""`amount` and `currency` must be among the fields."""


def destination(method_type: str) -> Json:
    """Where the money goes: back to what it came from."""
    details = {"reference": None, "reference_status": "pending"}
    if method_type == "card":
        return {"card": {**details, "reference_type": None, "type": "refund"}, "type": "card"}
    return {"eu_bank_transfer": details, "type": "eu_bank_transfer"}


EVIDENCE_TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
new_dispute = template(
    "dispute",
    "du_1",
    **empty_lists("balance_transactions enhanced_eligibility_types"),
    **nulls("network_reason_code payment_intent payment_method_details"),
    evidence={**dict.fromkeys(EVIDENCE_TEXTS), "enhanced_evidence": {}},
    is_charge_refundable=False,
    livemode=False,
    metadata={},
)
"""Amount, charge, reason, status, … must be among the fields."""


new_fraud_warning = template("radar.early_fraud_warning", "issfr_1", actionable=True, livemode=False)
"""`charge`, `payment_intent` and `fraud_type` must be among the fields."""


def evidence_details(due_by: int | None) -> Json:
    """Nothing was said yet; `due_by` is the Unix time until which it can be, None where it cannot."""
    return {
        "due_by": due_by,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
        "submission_method": "not_submitted",
    }


def card_case(brand: str, *, case_type: str, network_reason_code: str) -> Json:
    """`payment_method_details` of a dispute about a card. `case_type`: "chargeback", "inquiry" or "resolution"."""
    card = {"brand": brand, "case_type": case_type, "network": brand, "network_reason_code": network_reason_code}
    return {"card": card, "type": "card"}
