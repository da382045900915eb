"""Why the API does not sell a place or open Checkout: each refusal has a status and a word for programs."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.api import Conflict, Unavailable
from payments.checkout.attempts import OrderNotPayable
from registrations.services import ActivityFull, AlreadyRegistered, SalesClosed
from registrations.services.checkout import CheckoutUnavailable

CONFLICTS: dict[type[Exception], tuple[str, Promise]] = {
    ActivityFull: ("activity_full", _("No place is left in this activity.")),
    SalesClosed: ("sales_closed", _("Places in this activity are not on sale.")),
    AlreadyRegistered: ("already_registered", _("This person is registered for this activity already.")),
}

NOT_PAYABLE = _("There is nothing to pay for this registration, or not any more.")
PLACE_FREE = _("Payment cannot be started at the moment. Nothing was charged, and the place is free again.")
PLACE_HELD = _("Payment cannot be started at the moment. Nothing was charged, and the place is still held.")


@contextmanager
def told_to_programs() -> Iterator[None]:
    """What the services refuse in here becomes an answer of the API."""
    try:
        yield
    except tuple(CONFLICTS) as refusal:
        raise Conflict(*CONFLICTS[type(refusal)]) from refusal
    except OrderNotPayable as refusal:
        raise Conflict("not_payable", str(refusal)) from refusal
    except CheckoutUnavailable as refusal:
        raise Unavailable("checkout_unavailable", PLACE_FREE if refusal.is_place_free else PLACE_HELD) from refusal
