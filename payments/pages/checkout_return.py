"""Back from Stripe's payment page: Stripe is asked, and the page looks again by itself until we know, not for ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from payments.orders.models import CheckoutAttempt, Order
from payments.resync.on_return import ask_on_return
from payments.statuses import OrderStatus

# After how many seconds the page looks again, each time.
REFRESH_DELAYS = (3,) * 15
# What the order says is so as it is: Stripe has told us of the payment.
TOLD_STATUSES = frozenset({OrderStatus.PROCESSING, OrderStatus.PAID, OrderStatus.REFUNDED})


class UnpaidState(StrEnum):
    """What a page says of an order that is not paid yet.

    The first two as long as Stripe has not told us: while the page looks again, and when it has done so in vain.
    """

    CONFIRMING = "confirming"
    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    DECLINED = "declined"


PAYABLE_STATES = frozenset({UnpaidState.WAITING, UnpaidState.ACTION_REQUIRED, UnpaidState.DECLINED})
UNPAID_STATE_BY_STATUS = {
    OrderStatus.PENDING: UnpaidState.WAITING,
    OrderStatus.ACTION_REQUIRED: UnpaidState.ACTION_REQUIRED,
    OrderStatus.PROCESSING: UnpaidState.PROCESSING,
    OrderStatus.FAILED: UnpaidState.DECLINED,
}


@dataclass(frozen=True, slots=True)
class CheckoutReturn:
    """The buyer has just come back from paying this order in this session.

    The page was refreshed `refreshes` times since; `delays`: the seconds before each refresh, for as many as there are.
    """

    order: Order
    session: str = ""
    refreshes: int = 0
    delays: Sequence[int] = REFRESH_DELAYS

    @classmethod
    def read(
        cls, request: HttpRequest, *, orders: QuerySet[Order], at: datetime, delays: Sequence[int] = REFRESH_DELAYS
    ) -> "CheckoutReturn | None":
        """The session in the address, if it is of one of the buyer's own `orders`; anything else is not looked at.

        Stripe is asked about it where no event has told yet, so read everything else afterwards.
        """
        session, refreshes = request.GET.get("session_id", ""), request.GET.get("looks", "")
        # Stripe's ids have no other characters; a NUL would not even reach the database.
        if not session.replace("_", "").isalnum():
            return None
        order = orders.filter(checkouts__session=session).first()
        if order is None:
            return None
        if order.status not in TOLD_STATUSES and ask_on_return(session=session, at=at):
            order.refresh_from_db()
        is_number = refreshes.isascii() and refreshes.isdigit() and len(refreshes) < 4
        return cls(order, session, int(refreshes) if is_number else 0, delays)

    @property
    def state(self) -> UnpaidState:
        """What is said where nothing but Stripe's news counts."""
        return UnpaidState.CONFIRMING if self.refreshes < len(self.delays) else UnpaidState.UNCONFIRMED

    def state_of(self, order: Order) -> UnpaidState | None:
        """None where the order's own status tells how it stands; also in the end, for a payment that was declined.

        Nobody comes back from a session that was not gone through: be the order closed, money is on its way.
        """
        if order.pk != self.order.pk or order.status in TOLD_STATUSES:
            return None
        if order.status == OrderStatus.FAILED and (self.state == UnpaidState.UNCONFIRMED or self._is_used_up):
            return None
        return self.state

    @property
    def _is_used_up(self) -> bool:
        """Whether the failure that counts is this session's own: a debit that came to nothing, and no news is due."""
        attempt = CheckoutAttempt.objects.filter(session=self.session).first()
        return bool(
            attempt and attempt.expires_at and self.order.attempt_at and attempt.expires_at <= self.order.attempt_at
        )

    def refresh(self, request: HttpRequest, response: HttpResponse) -> None:
        """Let the browser ask for this page again in a moment. Only while the state is CONFIRMING."""
        query = urlencode({"session_id": self.session, "looks": self.refreshes + 1})
        response["Refresh"] = f"{self.delays[self.refreshes]}; url={request.path}?{query}"


def newest_session(order: Order) -> str:
    """The Checkout session in which the order was to be paid last; "" if there was none."""
    sessions = order.checkouts.exclude(session="").order_by("-number")
    return sessions.values_list("session", flat=True).first() or ""
