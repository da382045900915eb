"""Frees the place of somebody who has not paid, or whose place cost nothing, by the decision of a person."""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.apply.apply import follow_orders_again
from payments.cleanup.cleanup import Verdict, clean_up_order
from payments.cleanup.closing import close_order
from payments.orders.models import Order
from payments.statuses import AWAITING_PAYMENT, OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.models import Registration
from registrations.services.history import LONGEST, note_act
from registrations.services.holds import end_holds

log = structlog.get_logger(__name__)
FREED = "freed"


class PlaceNotFreed(ValueError):
    """The place stays taken, for now or until the money has gone back; the text says why."""


def free_place(*, registration: Registration, reason: str, by: Any, at: datetime) -> None:
    """Free the place of a registration for which no money is here; the row stays as evidence.

    Who waits for payment: the order is closed, and only money brings the person back, as with any late payment. Stripe
    is asked to end an open payment page first, so not to be called inside a transaction. Who was confirmed in a free
    activity: the place is given up for good, the order stays as it is, and they may register again.

    Paid ones are refused: a place follows its money, so the next look at the order would seat them again. Refund
    first, then the place goes by itself. Raises PlaceNotFreed; where Stripe does not answer, the clean-up frees the
    place as soon as it does.
    """
    if not reason.strip():
        raise PlaceNotFreed(_("Freeing a place needs a reason."))
    if _let_go(registration, reason=reason.strip(), by=by, at=at):
        _close(registration, by=by, at=at)
    registration.refresh_from_db()
    if registration.holds_place:
        raise PlaceNotFreed(_("A payment has come, or is about to: the place is still taken."))
    log.info("place.freed", registration=str(registration.public_id), by=str(by))


@transaction.atomic
def _let_go(registration: Registration, *, reason: str, by: Any, at: datetime) -> bool:
    """Nobody is waited for any more. Returns whether the order is still to be closed, which frees the place."""
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    row = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    _refuse_what_stays(row, order)
    note_act(FREED, order_ids=[order.pk], reason=reason, by=by, at=at)
    if order.status in AWAITING_PAYMENT:
        end_holds([row], at=at)
        return True
    _give_up(row, by=by, at=at)
    return False


def _refuse_what_stays(row: Registration, order: Order) -> None:
    if not row.holds_place:
        raise PlaceNotFreed(_("This registration holds no place."))
    if order.status == OrderStatus.PROCESSING:
        raise PlaceNotFreed(_("A payment of order %s is under way.") % order.number)
    # Money may have come for what costs nothing: it is refunded first, too.
    is_free = order.status == OrderStatus.PAID and not (order.amount or order.amount_received)
    if order.status not in AWAITING_PAYMENT and not is_free:
        raise PlaceNotFreed(_("Order %s has been paid: refund it, and the place is free.") % order.number)


def _give_up(row: Registration, *, by: Any, at: datetime) -> None:
    """What the order says no longer seats them; looked at once more, the place goes to who waits, and they are told."""
    row.given_up_at = row.held_until = at
    row.save(update_fields=["given_up_at", "held_until"])
    follow_orders_again([row.order_id], source=str(by)[:LONGEST], at=at)


def _close(registration: Registration, *, by: Any, at: datetime) -> None:
    """By the clean-up, which ends an open payment page; what it leaves for a while is closed now."""
    order_id, source = registration.order_id, str(by)[:LONGEST]
    try:
        if clean_up_order(order_id=order_id, at=at).verdict != Verdict.CLOSED:
            close_order(order_id=order_id, at=at, source=source, status=OrderStatus.CANCELED)
    except (GatewayUnavailable, GatewayRefused) as error:
        log.warning("place.not_freed", registration=str(registration.public_id), error=str(error))
        raise PlaceNotFreed(_("Stripe does not answer; the place is freed as soon as it does.")) from error
