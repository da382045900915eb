"""The state of a registration as its owner is told it; which buttons make sense follows from it."""

from datetime import datetime
from enum import StrEnum

from payments.pages import checkout_return
from payments.pages.checkout_return import UNPAID_STATE_BY_STATUS, CheckoutReturn
from payments.statuses import DisputeState, OrderStatus
from registrations.models import Registration
from registrations.services.register import still_waits


class RegistrationDisplayState(StrEnum):
    """One word for each thing that the page can say."""

    CONFIRMED = "confirmed"
    NO_PLACE = "no_place"
    CONFIRMING = "confirming"
    UNCONFIRMED = "unconfirmed"
    CONFIRM_ADDRESS = "confirm_address"
    OFFERED = "offered"
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


# A free place that is offered is taken by the same button that leads to the payment of another.
PAYABLE_STATES = frozenset(
    {RegistrationDisplayState.OFFERED, *map(RegistrationDisplayState, checkout_return.PAYABLE_STATES)}
)
STATE_BY_STATUS = {
    **{status: RegistrationDisplayState(state) for status, state in UNPAID_STATE_BY_STATUS.items()},
    OrderStatus.EXPIRED: RegistrationDisplayState.EXPIRED,
    OrderStatus.CANCELED: RegistrationDisplayState.CANCELED,
    OrderStatus.REFUNDED: RegistrationDisplayState.REFUNDED,
}


def display_state_of(
    row: Registration, *, at: datetime, returned: CheckoutReturn | None = None
) -> RegistrationDisplayState:
    """What to tell the owner. `row` comes with its order and activity."""
    status = OrderStatus(row.order.status)
    if row.activity.called_off_at and status != OrderStatus.REFUNDED and not row.given_up_at:
        is_paid = row.order.amount and row.order.has_money
        return RegistrationDisplayState.CALLED_OFF_PAID if is_paid else RegistrationDisplayState.CALLED_OFF
    if status == OrderStatus.PAID:
        return _paid_state(row)
    if returned and (news := returned.state_of(row.order)):
        return RegistrationDisplayState(news)
    if still_waits(row.order) and status != OrderStatus.PROCESSING:
        return _waiting_state(row, at=at)
    return STATE_BY_STATUS[status]


def is_payable(row: Registration, state: RegistrationDisplayState) -> bool:
    """Whether the owner is asked to go on: not while money is here that does not fit, about which staff decide."""
    return state in PAYABLE_STATES and not row.order.has_unfitting_money


def _paid_state(row: Registration) -> RegistrationDisplayState:
    if row.given_up_at:
        return RegistrationDisplayState.GIVEN_UP
    if row.order.dispute_state == DisputeState.LOST:
        return RegistrationDisplayState.TAKEN_BACK
    return RegistrationDisplayState.CONFIRMED if row.holds_place else RegistrationDisplayState.NO_PLACE


def _waiting_state(row: Registration, *, at: datetime) -> RegistrationDisplayState:
    if not row.holds_place:
        return RegistrationDisplayState.EXPIRED
    if row.activity.starts_at <= at:
        return RegistrationDisplayState.TOO_LATE
    if row.order.amount:
        return STATE_BY_STATUS[OrderStatus(row.order.status)]
    return RegistrationDisplayState.CONFIRM_ADDRESS if row.is_unconfirmed else RegistrationDisplayState.OFFERED
