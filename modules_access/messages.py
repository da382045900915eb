"""Which message a purchase's state asks for: one per key, whatever way led there."""

from modules_access.models import Purchase
from payments.effects.note import Note
from payments.orders.models import Order
from payments.orders.tries import note_about, note_about_failure
from payments.statuses import DisputeState, OrderStatus


def message_for(purchase: Purchase, order: Order) -> Note | None:
    """The message of the order's state; None where there is nothing to say."""
    match order.status:
        case OrderStatus.PAID if order.dispute_state != DisputeState.LOST:
            return note_about("module.opened", order, key=f"{order.pk}", purchase=purchase.pk)
        case OrderStatus.REFUNDED:
            return note_about("module.refunded", order, key=f"{order.pk}", purchase=purchase.pk)
        case OrderStatus.FAILED:
            return note_about_failure("module.failed", order, purchase=purchase.pk)
    return None
