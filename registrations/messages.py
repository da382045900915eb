"""Which message a registration's state asks for: one per key, however it came to that state."""

from datetime import timedelta

from payments.effects.enqueue import EffectRequest
from payments.orders.messages import request_failure_message, request_message
from payments.orders.models import Order
from payments.statuses import DisputeState, OrderStatus
from registrations.models import Registration, WaitingEntry

# Mission B4: normal while the buyer is still on the bank's page.
ACTION_REQUIRED_DELAY = timedelta(minutes=10)


def message_for(row: Registration, order: Order) -> EffectRequest | None:
    """The message of the order's state; None where there is nothing to say."""
    match order.status:
        case OrderStatus.PAID:
            return _paid(row, order)
        case OrderStatus.REFUNDED:
            return _note("refunded", row, order, key=f"{order.pk}")
        case OrderStatus.EXPIRED | OrderStatus.CANCELED:
            return _note("closed", row, order, key=f"{order.pk}:{order.attempt_number}")
        case OrderStatus.FAILED:
            return request_failure_message("registration.failed", order, registration=row.pk)
        case OrderStatus.ACTION_REQUIRED:
            return _note(
                "action_required", row, order, key=f"{order.pk}:{order.attempt_number}", patience=ACTION_REQUIRED_DELAY
            )
    return None


def offer_message(row: Registration) -> EffectRequest:
    """A place has become free for somebody on the waiting list: once per offer."""
    return _note("offer", row, row.order, key=f"{row.pk}")


def called_off_message(row: Registration, order: Order) -> EffectRequest:
    """The activity is called off: once per registration."""
    return _note("called_off", row, order, key=f"{row.pk}")


def called_off_while_waiting(entry: WaitingEntry) -> EffectRequest:
    """The activity for which they wait is called off: once per entry of the waiting list."""
    return EffectRequest(
        key=f"waiting.called_off:{entry.pk}", kind="waiting.called_off", order_id=None, data={"entry": entry.pk}
    )


def _paid(row: Registration, order: Order) -> EffectRequest | None:
    if row.given_up_at:
        return _note("given_up", row, order, key=f"{order.pk}")
    if order.dispute_state == DisputeState.LOST:
        return None
    # Whoever was told that there is no place hears again when one is found.
    waits = f":{row.times_waited}" if row.times_waited else ""
    return _note("confirmed" if row.holds_place else "no_place", row, order, key=f"{order.pk}{waits}")


def _note(kind: str, row: Registration, order: Order, *, key: str, patience: timedelta = timedelta(0)) -> EffectRequest:
    return request_message(f"registration.{kind}", order, key=key, patience=patience, registration=row.pk)
