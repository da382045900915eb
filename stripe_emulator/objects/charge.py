"""Charges and what follows them: balance transactions, refunds, disputes: https://docs.stripe.com/api/charges/object"""

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import expandable, list_object, nulls
from stripe_emulator.store import new_id, random_text

CHARGE_DEFAULTS: Json = {
    "object": "charge",
    "amount_captured": 0,
    "amount_refunded": 0,
    **nulls(
        "application application_fee application_fee_amount balance_transaction customer description "
        "failure_balance_transaction failure_code failure_message on_behalf_of outcome payment_intent payment_method "
        "receipt_email receipt_number receipt_url review shipping source source_transfer statement_descriptor "
        "statement_descriptor_suffix transfer_data transfer_group"
    ),
    "calculated_statement_descriptor": "Stripe",
    "captured": False,
    "disputed": False,
    "fraud_details": {},
    "livemode": False,
    "metadata": {},
    "paid": False,
    "radar_options": {},
    "refunded": False,
}
APPROVED: Json = {
    **nulls("advice_code network_advice_code network_decline_code reason"),
    "network_status": "approved_by_network",
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
SHARED_BY_CARDS = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status")
SHARED_BY_DEBITS = ("bank_code", "branch_code", "country", "fingerprint", "last4")


def new_charge(at: int, **fields: object) -> Json:
    """A charge made at this moment; amount, currency, status and the details of its method must be among the fields."""
    return {**CHARGE_DEFAULTS, "id": new_id("ch_3"), "created": at, **fields}


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
        "amount_authorized": amount,
        "authorization_code": random_text(6).upper(),
        "checks": card["checks"],
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": random_text(15),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": AUTHENTICATED if is_authenticated else None,
        "wallet": None,
    }
    return {"card": details, "type": "card"}


AUTHENTICATED: Json = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": None,
    "version": "2.2.0",
}


@expandable("charge", "refunds")
def refunds(charge: StoredObject) -> Json:
    """The newest refunds of the charge: https://docs.stripe.com/changelog/2022-11-15"""
    rows = [refund.data for refund in store.find("refund", charge=charge.stripe_id)]
    return list_object(rows, url=f"/v1/charges/{charge.stripe_id}/refunds")


BALANCE_DEFAULTS: Json = {
    "object": "balance_transaction",
    "balance_type": "payments",
    "description": None,
    "exchange_rate": None,
    "fee": 0,
    "fee_details": [],
    "status": "pending",
}


def new_balance_transaction(at: int, **fields: object) -> Json:
    """A movement at this moment; amounts, currency, type and source must be among the fields."""
    return {**BALANCE_DEFAULTS, "id": new_id("txn_3"), "created": at, **fields}


def fee_detail(amount: int, *, currency: str, description: str) -> Json:
    """One part of the fee, in minor units."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


REFUND_DEFAULTS: Json = {
    "object": "refund",
    **nulls(
        "balance_transaction charge customer customer_account description destination_details payment_intent "
        "payment_method reason receipt_number source_transfer_reversal transfer_reversal"
    ),
    "metadata": {},
    "status": "succeeded",
}


def new_refund(at: int, **fields: object) -> Json:
    """A refund made at this moment; `amount` and `currency` must be among the fields."""
    return {**REFUND_DEFAULTS, "id": new_id("re_3"), "created": at, **fields}


def destination(method_type: str) -> Json:
    """Where the money goes: back to what it came from."""
    if method_type == "card":
        details = {"reference": None, "reference_status": "pending", "reference_type": None, "type": "refund"}
        return {"card": details, "type": "card"}
    details = {"reference": None, "reference_status": "pending"}
    return {"eu_bank_transfer": details, "type": "eu_bank_transfer"}


EVIDENCE_TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
DISPUTE_DEFAULTS: Json = {
    "object": "dispute",
    "balance_transactions": [],
    "enhanced_eligibility_types": [],
    "evidence": {**dict.fromkeys(EVIDENCE_TEXTS), "enhanced_evidence": {}},
    "is_charge_refundable": False,
    "livemode": False,
    "metadata": {},
    "network_reason_code": None,
    "payment_intent": None,
    "payment_method_details": None,
}


def new_dispute(at: int, **fields: object) -> Json:
    """A dispute opened at this moment; amount, charge, reason, status, … must be among the fields."""
    return {**DISPUTE_DEFAULTS, "id": new_id("du_1"), "created": at, **fields}


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
