"""Frees the place of somebody who has not paid, by the decision of a person."""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.actions.cleanup import Verdict, clean_up_order
from payments.actions.closing import WAITING, close_order
from payments.orders.models import Order
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.models import Registration
from registrations.services.history import LONGEST, note_act
from registrations.services.holds import end_holds

log = structlog.get_logger(__name__)
FREED = "freed"


class PlaceNotFreed(ValueError):
    """The place stays taken, for now or until the money has gone back; the text says why."""


def free_place(*, registration: Registration, because: str, by: Any, at: datetime) -> None:
    """Close the order of a registration that holds a place unpaid; the place is free, the row stays as evidence.

    Paid ones are refused: a place follows its money, so the next look at the order would seat them again. Refund
    first, then the place goes by itself. Once closed, only money brings the person back, as with any late payment.

    Stripe is asked to end an open payment page first, so not to be called inside a transaction. Raises PlaceNotFreed;
    where Stripe does not answer, the clean-up frees the place as soon as it does.
    """
    if not because.strip():
        raise PlaceNotFreed(_("Freeing a place needs a reason."))
    _end_hold(registration, because=because.strip(), by=by, at=at)
    try:
        _close(registration.order_id, by=by, at=at)
    except (GatewayUnavailable, GatewayRefused) as error:
        log.warning("place.not_freed", registration=str(registration.public_id), error=str(error))
        raise PlaceNotFreed(_("Stripe does not answer; the place is freed as soon as it does.")) from error
    registration.refresh_from_db()
    if registration.holds_place:
        raise PlaceNotFreed(_("A payment has come, or is about to: the place is still taken."))
    log.info("place.freed", registration=str(registration.public_id), by=str(by))


@transaction.atomic
def _end_hold(registration: Registration, *, because: str, by: Any, at: datetime) -> None:
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    row = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    if not row.holds_place:
        raise PlaceNotFreed(_("This registration holds no place."))
    if order.status == OrderStatus.PROCESSING:
        raise PlaceNotFreed(_("A payment of order %s is under way.") % order.number)
    if order.status not in WAITING and order.amount == 0:
        raise PlaceNotFreed(_("A confirmed place in a free activity cannot be taken back."))
    if order.status not in WAITING:
        raise PlaceNotFreed(_("Order %s has been paid: refund it, and the place is free.") % order.number)
    end_holds([row], at=at)
    note_act(FREED, order_ids=[order.pk], because=because, by=by, at=at)


def _close(order_id: int, *, by: Any, at: datetime) -> None:
    """By the clean-up, which ends an open payment page; what it leaves for a while is closed now."""
    if clean_up_order(order_id=order_id, at=at).verdict != Verdict.CLOSED:
        close_order(order_id=order_id, at=at, source=str(by)[:LONGEST], status=OrderStatus.CANCELED)
