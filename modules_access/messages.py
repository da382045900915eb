"""Which message a purchase's state asks for: one per key, whatever way led there."""

from modules_access.models import Purchase
from payments.effects.enqueue import EffectRequest
from payments.orders.messages import request_failure_message, request_message
from payments.orders.models import Order
from payments.statuses import DisputeState, OrderStatus


def message_for(purchase: Purchase, order: Order) -> EffectRequest | None:
    """The message of the order's state; None where there is nothing to say."""
    match order.status:
        case OrderStatus.PAID if order.dispute_state != DisputeState.LOST:
            return request_message("module.opened", order, key=f"{order.pk}", purchase=purchase.pk)
        case OrderStatus.REFUNDED:
            return request_message("module.refunded", order, key=f"{order.pk}", purchase=purchase.pk)
        case OrderStatus.FAILED:
            return request_failure_message("module.failed", order, purchase=purchase.pk)
    return None
