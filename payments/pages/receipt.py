"""What every receipt says, whatever was bought; the template is templates/public/receipt.html."""

from datetime import datetime
from typing import Any

from payments.billing.receipts import receipt_for, seller
from payments.money import format_amount
from payments.orders.models import Order


def receipt_context(order: Order, *, at: datetime) -> dict[str, Any]:
    """The receipt of a paid order, which gets its number when it is asked for first. Raises NothingPaid."""
    return {
        "order": order,
        "receipt": receipt_for(order.pk, at),
        "refunded": format_amount(order.amount_refunded, order.currency) if order.amount_refunded else "",
        **seller(),
    }
