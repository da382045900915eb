"""Where a registration stands, in one sentence for its owner; which buttons make sense follows from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payments.statuses import DisputeState, OrderStatus
from registrations.models import Registration
from registrations.services.begin import still_waits

# A page that waits for Stripe's news looks again every few seconds, but not for ever.
MOST_LOOKS = 15
SECONDS_BETWEEN_LOOKS = 3


class Standing(StrEnum):
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


PAYABLE = frozenset({Standing.WAITING, Standing.ACTION_REQUIRED, Standing.DECLINED})
BY_STATUS = {
    OrderStatus.PENDING: Standing.WAITING,
    OrderStatus.ACTION_REQUIRED: Standing.ACTION_REQUIRED,
    OrderStatus.PROCESSING: Standing.PROCESSING,
    OrderStatus.FAILED: Standing.DECLINED,
    OrderStatus.EXPIRED: Standing.EXPIRED,
    OrderStatus.CANCELED: Standing.CANCELED,
    OrderStatus.REFUNDED: Standing.REFUNDED,
}


@dataclass(frozen=True, slots=True)
class Return:
    """The buyer has just come back from paying in a session of this registration; the page was shown `looks` times."""

    session: str = ""
    looks: int = 0


def standing_of(row: Registration, *, at: datetime, returned: Return | None = None) -> Standing:
    """What to tell the owner. `row` comes with its order and activity."""
    status = row.order.status
    if row.activity.called_off_at and status != OrderStatus.REFUNDED and not row.given_up_at:
        return Standing.CALLED_OFF_PAID if row.order.amount and row.order.has_money else Standing.CALLED_OFF
    if status == OrderStatus.PAID:
        return _paid(row)
    if returned and status in (OrderStatus.EXPIRED, OrderStatus.CANCELED):
        # Nobody comes back from a session that was not gone through: the money is on its way, though it comes late.
        return Standing.CONFIRMING if returned.looks < MOST_LOOKS else Standing.UNHEARD
    if still_waits(row.order) and status != OrderStatus.PROCESSING:
        return _waiting(row, at=at, returned=returned)
    return BY_STATUS[OrderStatus(status)]


def _paid(row: Registration) -> Standing:
    if row.given_up_at:
        return Standing.GIVEN_UP
    if row.order.dispute_state == DisputeState.LOST:
        return Standing.TAKEN_BACK
    return Standing.CONFIRMED if row.holds_place else Standing.NO_PLACE


def _waiting(row: Registration, *, at: datetime, returned: Return | None) -> Standing:
    status = OrderStatus(row.order.status)
    if returned and returned.looks < MOST_LOOKS:
        return Standing.CONFIRMING
    if returned and status != OrderStatus.FAILED:
        return Standing.UNHEARD
    if not row.holds_place:
        return Standing.EXPIRED
    return Standing.TOO_LATE if row.activity.starts_at <= at else BY_STATUS[status]
