"""Which message tells a buyer that money went back, came back to us, or was taken back; one for each time.

The mails themselves stand in payments/orders/mails.py: whatever was bought, they say the same.
"""

from collections.abc import Iterable

from payments.billing.models import Refund
from payments.effects.enqueue import EffectRequest
from payments.orders.models import Order
from payments.statuses import REFUND_UNDONE


def money_went_back(order: Order, refunds: Iterable[Refund]) -> EffectRequest:
    """Some of it. The amounts name the step, whichever event tells of it; a refund that failed makes it another one."""
    undone = sum(refund.amount for refund in refunds if refund.status in REFUND_UNDONE)
    return _message("order.refunded_in_part", order, f"{order.pk}:{order.amount_refunded}:{undone}")


def refund_failed(order: Order, refund: str) -> EffectRequest:
    """The money is ours again: the buyer waits for it in vain."""
    return _message("order.refund_failed", order, refund, refund=refund)


def payment_taken_back(order: Order, dispute: str) -> EffectRequest:
    """By the buyer's bank: a direct debit that was returned, a dispute that we lost."""
    return _message("order.payment_taken_back", order, dispute, dispute=dispute)


def _message(kind: str, order: Order, key: str, **data: str) -> EffectRequest:
    return EffectRequest(key=f"{kind}:{key}", kind=kind, order_id=order.pk, data=data)
