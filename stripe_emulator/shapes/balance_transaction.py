"""Money that entered or left the balance: https://docs.stripe.com/api/balance_transactions/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
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
    return {**USUAL, "id": new_id("txn_3"), "created": at, **fields}


def fee_detail(amount: int, *, currency: str, description: str) -> Json:
    """One part of the fee, in minor units."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }
