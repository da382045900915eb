"""Where a purchase stands that is not paid yet, in one word; what is said and which button makes sense follow."""

from dataclasses import dataclass
from enum import StrEnum

from payments.orders.models import Order
from payments.statuses import OrderStatus

# A page that waits for Stripe's news looks again by itself: at first quickly, since nearly always the news comes at
# once (mission: on /encours within two seconds), and not for ever.
MOST_LOOKS = 17
AT_ONCE, QUICK_LOOKS = 2, 7


class Standing(StrEnum):
    """One word for each thing that the page can say."""

    CONFIRMING = "confirming"
    UNHEARD = "unheard"
    WAITING = "waiting"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    DECLINED = "declined"


PAYABLE = frozenset({Standing.WAITING, Standing.ACTION_REQUIRED, Standing.DECLINED})
BY_STATUS = {
    OrderStatus.PENDING: Standing.WAITING,
    OrderStatus.ACTION_REQUIRED: Standing.ACTION_REQUIRED,
    OrderStatus.PROCESSING: Standing.PROCESSING,
    OrderStatus.FAILED: Standing.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Return:
    """The person has just come back from paying this order; the page was shown `looks` times since."""

    order: Order
    session: str
    looks: int = 0

    @property
    def seconds(self) -> int:
        """After how many the page looks again."""
        if self.looks < AT_ONCE:
            return 0
        return 1 if self.looks < QUICK_LOOKS else 2


def standing_of(order: Order, returned: Return | None) -> Standing | None:
    """What to tell the person; None for what is paid, or closed and nobody has paid it."""
    status = OrderStatus(order.status)
    is_back = returned is not None and returned.order.pk == order.pk
    if not is_back or status == OrderStatus.PROCESSING:
        return BY_STATUS.get(status)
    if status in (OrderStatus.PAID, OrderStatus.REFUNDED):
        return None
    # Nobody comes back from a session that was not gone through: be the order closed, money is on its way.
    if returned and returned.looks < MOST_LOOKS:
        return Standing.CONFIRMING
    return Standing.DECLINED if status == OrderStatus.FAILED else Standing.UNHEARD
