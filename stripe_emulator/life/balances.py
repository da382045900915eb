"""What comes into the account's balance and what leaves it: https://docs.stripe.com/reports/balance-transaction-types"""

from stripe_emulator import store
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.balance_transaction import fee_detail, new_balance_transaction

# European cards in euros: 1.5 % and 25 cents: https://stripe.com/fr/pricing
BASIS_POINTS, FIXED_FEE = 150, 25
DISPUTE_FEE = 2000
DELAY = 3 * 24 * 3600  # seconds until the money is available
DESCRIPTIONS = {"charge": "Stripe processing fees", "adjustment": "Dispute fee"}


def fee_for(amount: int) -> int:
    """What Stripe keeps of a charge, in minor units."""
    return round(amount * BASIS_POINTS / 10_000) + FIXED_FEE


def move(
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
    details = [fee_detail(fee, currency=currency, description=DESCRIPTIONS.get(kind, "Stripe fee"))] if fee else []
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
        available_on=at if is_available else at + DELAY,
        status="available" if is_available else "pending",
    )
    return store.keep(moved, parent=about)
