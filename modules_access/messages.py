"""Which message a purchase's state asks for: one per key, whatever way led there."""

from datetime import timedelta

from modules_access.models import Purchase
from payments.effects.note import Note
from payments.orders.models import Order
from payments.statuses import DisputeState, OrderStatus

# A delayed method fails twice: as a charge (with the reason) and as a session. The second waits for the first.
WAIT_FOR_REASON = timedelta(minutes=1)


def message_for(purchase: Purchase, order: Order) -> Note | None:
    """The message of the order's state; None where there is nothing to say."""
    match order.status:
        case OrderStatus.PAID if order.dispute_state != DisputeState.LOST:
            return _note("opened", purchase, order, key=f"{order.pk}")
        case OrderStatus.REFUNDED:
            return _note("refunded", purchase, order, key=f"{order.pk}")
        case OrderStatus.FAILED:
            return _failed(purchase, order)
    return None


def _failed(purchase: Purchase, order: Order) -> Note:
    """One mail per failed charge, however often Stripe repeats itself."""
    key = f"{order.pk}:{order.charge_of_try or order.tried_attempt}"
    patience = timedelta(0) if order.charge_of_try else WAIT_FOR_REASON
    return _note("failed", purchase, order, key=key, patience=patience)


def _note(kind: str, purchase: Purchase, order: Order, *, key: str, patience: timedelta = timedelta(0)) -> Note:
    since = order.tried_at
    return Note(
        key=f"module.{kind}:{key}",
        kind=f"module.{kind}",
        order_id=order.pk,
        data={"purchase": purchase.pk, "attempt": order.tried_attempt, "charge": order.charge_of_try},
        not_before=since + patience if patience and since else None,
    )
