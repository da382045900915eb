"""Leads a registration to the page where it is paid, or gives its place back where that cannot be."""

from datetime import datetime

import structlog

from payments.checkout.open_checkout import open_checkout
from payments.cleanup.closing import close_order
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.models import Registration, WaitingEntry

log = structlog.get_logger(__name__)
SOURCE = "checkout"


class CheckoutUnavailable(Exception):
    """Nobody can pay at the moment, and nothing was charged.

    `is_place_free`: the registration has ended and its place is free again; else it is held on, because a session may
    have been opened although Stripe's answer was lost, or because the place was offered from the waiting list.
    """

    def __init__(self, *, is_place_free: bool) -> None:
        super().__init__("Stripe refuses, or cannot be reached.")
        self.is_place_free = is_place_free


def start_checkout(*, registration: Registration, at: datetime) -> str:
    """The address at which the registration can be paid: always the same while its session is open.

    Not to be called inside a transaction. Raises CheckoutUnavailable, or OrderNotPayable where there is nothing to pay.
    """
    try:
        return open_checkout(order_id=registration.order_id, at=at).url
    except (GatewayRefused, GatewayUnavailable) as trouble:
        is_place_free = _give_back(registration, at=at)
        log.warning(
            "checkout.unavailable", registration=str(registration.public_id), order=registration.order_id,
            is_place_free=is_place_free, error=str(trouble),
        )  # fmt: skip
        raise CheckoutUnavailable(is_place_free=is_place_free) from trouble


def _give_back(registration: Registration, *, at: datetime) -> bool:
    """Close the order if nobody can pay it; whoever was offered a place does not lose their turn by our trouble."""
    if WaitingEntry.objects.filter(offered=registration).exists():
        return False
    try:
        return close_order(order_id=registration.order_id, at=at, source=SOURCE, status=OrderStatus.CANCELED)
    except (GatewayRefused, GatewayUnavailable):
        # There is a session, and only Stripe knows whether it is open.
        return False
