"""One attempt to move money: https://docs.stripe.com/api/charges/object"""

from stripe_emulator import store
from stripe_emulator.ids import new_id, random_text
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.included import included, inner_list

USUAL: Json = {
    "object": "charge",
    "amount_captured": 0,
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": "Stripe",
    "captured": False,
    "customer": None,
    "description": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "livemode": False,
    "metadata": {},
    "on_behalf_of": None,
    "outcome": None,
    "paid": False,
    "payment_intent": None,
    "payment_method": None,
    "radar_options": {},
    "receipt_email": None,
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "shipping": None,
    "source": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}
APPROVED: Json = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
SHARED_BY_CARDS = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status")
SHARED_BY_DEBITS = ("bank_code", "branch_code", "country", "fingerprint", "last4")


def new_charge(at: int, **fields: object) -> Json:
    """A charge made at this moment; amount, currency, status and the details of its method must be among the fields."""
    return {**USUAL, "id": new_id("ch_3"), "created": at, **fields}


def declined_outcome(reason: str) -> Json:
    """The `outcome` of a card that its bank declined."""
    return APPROVED | {
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": reason,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def method_details(method: Json, *, amount: int, is_authenticated: bool) -> Json:
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


@included("charge", "refunds")
def refunds(charge: StoredObject) -> Json:
    """The newest refunds of the charge: https://docs.stripe.com/changelog/2022-11-15"""
    rows = [refund.data for refund in store.find("refund", charge=charge.stripe_id)]
    return inner_list(rows, url=f"/v1/charges/{charge.stripe_id}/refunds")
