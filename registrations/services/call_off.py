"""Calls an activity off: sales end, everybody is told once, money goes back; in steps that can be done again."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.cleanup.closing import close_order
from payments.effects.enqueue import EffectRequest, enqueue
from payments.orders.models import Order
from payments.refunds.refund import refund_requests
from payments.statuses import AWAITING_PAYMENT, OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.messages import called_off_message, called_off_while_waiting
from registrations.models import Activity, Registration
from registrations.services.called_off import REFUND_KEY, to_do, unfinished, waiting_to_tell
from registrations.services.history import LONGEST, note_act
from registrations.services.holds import end_holds

log = structlog.get_logger(__name__)
CALLED_OFF = "called off"
BATCH = 100


class NotCalledOff(ValueError):
    """Nothing was changed; the text says why."""


def call_off(*, activity: Activity, reason: str, by: Any, at: datetime) -> None:
    """Close the sales, tell everybody once, and ask every payment back; called again, it goes on where it stopped.

    Not one transaction but one for each hundred people: the first closes the sales, and each of the others tells and
    refunds its people together. What a dead process leaves, and money that comes later, is done by
    `finish_calling_off`. The first reason stays. Not to be called inside a transaction. Raises NotCalledOff.
    """
    if not reason.strip():
        raise NotCalledOff(_("Calling an activity off needs a reason."))
    _end_sales(activity, reason=reason.strip(), by=by, at=at)
    _work_off(activity, by=by, at=at)


def finish_calling_off(*, at: datetime) -> int:
    """Go on with every activity that was called off: who is not told yet, whose money came only now. Returns how many.

    For the timetable: somebody who was paying at that moment, or whose bank took days, gets the money back, too.
    """
    return sum(_work_off(activity, by=CALLED_OFF, at=at) for activity in unfinished())


@transaction.atomic
def _end_sales(activity: Activity, *, reason: str, by: Any, at: datetime) -> None:
    running = Activity.objects.filter(pk=activity.pk, called_off_at__isnull=True)
    if running.update(is_on_sale=False, called_off_at=at, called_off_reason=reason[:500]):
        log.info("activity.called_off", activity=activity.slug, reason=reason, by=str(by))
    activity.refresh_from_db()


def _work_off(activity: Activity, *, by: Any, at: datetime) -> int:
    """Registrations by ascending id, then the waiting list; bounded, because each row is looked at once."""
    count = last = 0
    while rows := list(to_do(activity.pk).filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = rows[-1].pk
        done = _tell_and_refund(rows, activity, by=by, at=at)
        count += len(done)
        _close_untouched(done, by=by, at=at)
    while entries := list(waiting_to_tell(activity.pk).order_by("pk")[:BATCH]):
        with transaction.atomic():
            enqueue([called_off_while_waiting(entry) for entry in entries], at=at)
        count += len(entries)
    return count


@transaction.atomic
def _tell_and_refund(rows: Sequence[Registration], activity: Activity, *, by: Any, at: datetime) -> list[Registration]:
    """All that these people are owed, or nothing. What they were owed before the lock may be done by somebody else."""
    order_ids = [row.order_id for row in rows]
    orders = {
        order.pk: order
        for order in Order.objects.filter(pk__in=order_ids).order_by("pk").select_for_update(no_key=True)
    }
    still_due = to_do(activity.pk).filter(order__in=orders).order_by("pk")
    due = list(still_due.select_for_update(no_key=True, of=("self",)))
    untold = [row for row in due if not cast(Any, row).is_told]
    effects = [called_off_message(row, orders[row.order_id]) for row in untold]
    for row in due:
        if cast(Any, row).is_refund_due:
            effects += _refund_of(orders[row.order_id], activity, by=by, at=at)
    enqueue(effects, at=at)
    note_act(CALLED_OFF, order_ids=[row.order_id for row in untold], reason=activity.called_off_reason, by=by, at=at)
    end_holds([row for row in due if orders[row.order_id].status in AWAITING_PAYMENT], at=at)
    return due


def _refund_of(order: Order, activity: Activity, *, by: Any, at: datetime) -> list[EffectRequest]:
    return refund_requests(owner=order, reason=activity.called_off_reason, key=REFUND_KEY, by=str(by), at=at)


def _close_untouched(rows: Sequence[Registration], *, by: Any, at: datetime) -> None:
    """Orders for which Stripe was never asked end here and now; an open payment page is the clean-up's to end."""
    waiting = Order.objects.filter(pk__in=[row.order_id for row in rows], status__in=AWAITING_PAYMENT)
    asked = waiting.filter(checkouts__session__gt="") | waiting.filter(checkouts__params__isnull=False)
    for order_id in waiting.exclude(pk__in=asked.values("pk")).order_by("pk").values_list("pk", flat=True):
        # Somebody may have opened a payment page since; then Stripe is asked, and may be away.
        with suppress(GatewayUnavailable, GatewayRefused):
            close_order(order_id=order_id, at=at, source=str(by)[:LONGEST], status=OrderStatus.CANCELED)
