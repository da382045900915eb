"""The state of a registration as its owner is told it; which buttons make sense follows from it."""

from datetime import datetime
from enum import StrEnum

from payments.statuses import DisputeState, OrderStatus
from registrations.models import Registration
from registrations.pages.checkout_return import CheckoutReturn
from registrations.services.register import still_waits


class DisplayState(StrEnum):
    """One word for each thing that the page can say."""

    CONFIRMED = "confirmed"
    NO_PLACE = "no_place"
    CONFIRMING = "confirming"
    UNHEARD = "unheard"
    WAITING = "waiting"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    DECLINED = "declined"
    TOO_LATE = "too_late"
    EXPIRED = "expired"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    GIVEN_UP = "given_up"
    TAKEN_BACK = "taken_back"
    CALLED_OFF = "called_off"
    CALLED_OFF_PAID = "called_off_paid"


PAYABLE_STATES = frozenset({DisplayState.WAITING, DisplayState.ACTION_REQUIRED, DisplayState.DECLINED})
STATE_OF_STATUS = {
    OrderStatus.PENDING: DisplayState.WAITING,
    OrderStatus.ACTION_REQUIRED: DisplayState.ACTION_REQUIRED,
    OrderStatus.PROCESSING: DisplayState.PROCESSING,
    OrderStatus.FAILED: DisplayState.DECLINED,
    OrderStatus.EXPIRED: DisplayState.EXPIRED,
    OrderStatus.CANCELED: DisplayState.CANCELED,
    OrderStatus.REFUNDED: DisplayState.REFUNDED,
}


def display_state(row: Registration, *, at: datetime, returned: CheckoutReturn | None = None) -> DisplayState:
    """What to tell the owner. `row` comes with its order and activity."""
    status = OrderStatus(row.order.status)
    if row.activity.called_off_at and status != OrderStatus.REFUNDED and not row.given_up_at:
        return DisplayState.CALLED_OFF_PAID if row.order.amount and row.order.has_money else DisplayState.CALLED_OFF
    if status == OrderStatus.PAID:
        return _paid_state(row)
    if returned and (news := returned.state_of(row.order)):
        return DisplayState(news)
    if still_waits(row.order) and status != OrderStatus.PROCESSING:
        return _waiting_state(row, at=at)
    return STATE_OF_STATUS[status]


def _paid_state(row: Registration) -> DisplayState:
    if row.given_up_at:
        return DisplayState.GIVEN_UP
    if row.order.dispute_state == DisputeState.LOST:
        return DisplayState.TAKEN_BACK
    return DisplayState.CONFIRMED if row.holds_place else DisplayState.NO_PLACE


def _waiting_state(row: Registration, *, at: datetime) -> DisplayState:
    if not row.holds_place:
        return DisplayState.EXPIRED
    return DisplayState.TOO_LATE if row.activity.starts_at <= at else STATE_OF_STATUS[OrderStatus(row.order.status)]
