"""Back from Stripe's payment page: a page that looks again by itself until Stripe has told us, but not for ever."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import OrderStatus

MAX_REFRESHES = 15
REFRESH_SECONDS = 3
# What the order says is so as it is: Stripe has told us of the payment.
TOLD_STATUSES = frozenset({OrderStatus.PROCESSING, OrderStatus.PAID, OrderStatus.REFUNDED})


class ReturnState(StrEnum):
    """What is said as long as Stripe has not told us."""

    CONFIRMING = "confirming"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class CheckoutReturn:
    """The buyer has just come back from this Checkout session; the page was refreshed `refreshes` times since."""

    session: str = ""
    refreshes: int = 0

    @classmethod
    def read(cls, request: HttpRequest, *, attempts: QuerySet[CheckoutAttempt]) -> "CheckoutReturn | None":
        """The session in the address, if it is one of the buyer's own `attempts`; anything else is not looked at."""
        session, refreshes = request.GET.get("session_id", ""), request.GET.get("looks", "")
        # Stripe's ids have no other characters; a NUL would not even reach the database.
        if not session.replace("_", "").isalnum():
            return None
        if not attempts.filter(session=session).exists():
            return None
        is_number = refreshes.isascii() and refreshes.isdigit() and len(refreshes) < 4
        return cls(session, int(refreshes) if is_number else 0)

    def state_of(self, order: Order) -> ReturnState | None:
        """None where the order's own status tells how it stands; also in the end, for a payment that was declined.

        Nobody comes back from a session that was not gone through: be the order closed, money is on its way.
        """
        if order.status in TOLD_STATUSES:
            return None
        if self.refreshes < MAX_REFRESHES:
            return ReturnState.CONFIRMING
        return None if order.status == OrderStatus.FAILED else ReturnState.UNHEARD

    def refresh(self, request: HttpRequest, response: HttpResponse) -> None:
        """Let the browser ask for this page again in a moment."""
        query = urlencode({"session_id": self.session, "looks": self.refreshes + 1})
        response["Refresh"] = f"{REFRESH_SECONDS}; url={request.path}?{query}"
