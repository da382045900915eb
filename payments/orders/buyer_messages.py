"""Which message tells a buyer that money went back, came back to us, or was taken back; one for each time.

The mails themselves stand in payments/orders/mails.py and payments/billing/money_mails.py.
"""

from collections.abc import Iterable

from payments.billing.models import Payment, Refund, Subscription
from payments.effects.enqueue import EffectRequest
from payments.orders.fold import undone_of
from payments.orders.models import Order
from payments.statuses import REFUND_UNDONE

Owner = Order | Subscription


def money_went_back(order: Order, refunds: Iterable[Refund]) -> EffectRequest:
    """Some of it. The amounts name the step, whichever event tells of it; a refund that failed makes it another one."""
    undone = sum(refund.amount for refund in refunds if refund.status in REFUND_UNDONE)
    return _message("refunded_in_part", order, f"{order.pk}:{order.amount_refunded}:{undone}")


def period_went_back(row: Subscription, payment: Payment, refunds: Iterable[Refund]) -> EffectRequest:
    """Some or all of one payment of a subscription, the step named as above."""
    step = f"{payment.key}:{payment.refunded}:{undone_of(payment, refunds)}"
    return _message("refunded", row, step, payment=payment.key)


def refund_failed(owner: Owner, refund: str) -> EffectRequest:
    """The money is ours again: the buyer waits for it in vain."""
    return _message("refund_failed", owner, refund, refund=refund)


def payment_taken_back(owner: Owner, dispute: str) -> EffectRequest:
    """By the buyer's bank: a direct debit that was returned, a dispute that we lost."""
    return _message("payment_taken_back", owner, dispute, dispute=dispute)


def _message(what: str, owner: Owner, key: str, **data: str) -> EffectRequest:
    if isinstance(owner, Order):
        return EffectRequest(key=f"order.{what}:{key}", kind=f"order.{what}", order_id=owner.pk, data=data)
    return EffectRequest(
        key=f"subscription.{what}:{key}", kind=f"subscription.{what}", order_id=owner.order_id,
        subscription_id=owner.pk, data={"subscription": owner.stripe_id, **data},
    )  # fmt: skip
