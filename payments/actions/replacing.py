"""Makes room for another order of the same person: the one that waits is ended, unless it has been paid meanwhile."""

from datetime import datetime

from payments.actions.asking import Asking
from payments.actions.closing import close_order, find_waiting
from payments.actions.decisions import Verdict
from payments.actions.settling import Settling


def close_unless_paid(*, order_id: int, at: datetime, source: str) -> bool:
    """End its page at Stripe and the order with it; what was paid there meanwhile is confirmed instead.

    False where a payment may still come: another order would be paid twice. Not to be called inside a transaction.
    Raises GatewayUnavailable, GatewayRefused.
    """
    waiting = find_waiting(order_id=order_id)
    if waiting is None or Settling(waiting, at, Asking()).settle().verdict != Verdict.KEPT:
        return True
    # Kept although nobody can pay there any more, to leave time for another try; or because Stripe did not answer.
    return close_order(order_id=order_id, at=at, source=source)
