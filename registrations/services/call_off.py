"""Calls an activity off: sales end, everybody is told once, money goes back; in steps that can be done again.

Who is still to be told or refunded is read from what was done so far.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import structlog
from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from payments.billing.models import Payment
from payments.cleanup.closing import close_order
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.money import format_amount
from payments.names import REFUND_KIND as REFUND
from payments.orders.models import Order
from payments.refunds.refund import refund_requests
from payments.statuses import AWAITING_PAYMENT, DisputeState, OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.mails import called_off_message, called_off_message_to_waiting
from registrations.models import HIDDEN_STATUSES, Activity, Registration, RegistrationStatus, WaitingEntry
from registrations.services.staff_actions import HISTORY_TEXT_MAX_LENGTH, end_holds, record_staff_action

log = structlog.get_logger(__name__)
# What the history of an order calls it; and who does it where nobody is there to be named.
CALLED_OFF = "called off"
BATCH_SIZE = 100
# The refund's own key: asked for twice, it happens once.
REFUND_KEY = "called-off"
ENDED_STATUSES = (*HIDDEN_STATUSES, RegistrationStatus.REFUNDED)
IS_PAID = Q(order__status=OrderStatus.PAID) & ~Q(order__dispute_state__in=[DisputeState.OPEN, DisputeState.LOST])


class NotCalledOff(ValueError):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class CallOffPreview:
    """What calling an activity off would do: people told, refunds, and their totals in words, one per currency."""

    people_told: int
    refunds: int
    totals: list[str] = field(default_factory=list)


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
    return sum(_work_off(activity, by=CALLED_OFF, at=at) for activity in _unfinished_activities())


def preview_call_off(activity: Activity) -> CallOffPreview:
    """Counted now; people go on paying until sales are closed."""
    rows = _still_registered(activity.pk)
    left = F("received") - F("refunded") - F("lost")
    money = Payment.objects.filter(
        order__in=rows.filter(IS_PAID).values("order"), received__gt=F("refunded") + F("lost")
    )
    sums = money.order_by("currency").values_list("currency").annotate(total=Sum(left))
    totals = [format_amount(total, currency) for currency, total in sums]
    people_told = rows.count() + WaitingEntry.objects.waiting().filter(activity=activity).count()
    return CallOffPreview(people_told, money.count(), totals)


@transaction.atomic
def _end_sales(activity: Activity, *, reason: str, by: Any, at: datetime) -> None:
    running = Activity.objects.filter(pk=activity.pk, called_off_at__isnull=True)
    if running.update(is_on_sale=False, called_off_at=at, called_off_reason=reason[:500]):
        log.info("activity.called_off", activity=activity.slug, reason=reason, by=str(by))
    activity.refresh_from_db()


def _work_off(activity: Activity, *, by: Any, at: datetime) -> int:
    """Registrations by ascending id, then the waiting list; bounded, because each row is looked at once."""
    count = last = 0
    while rows := list(_unfinished_registrations(activity.pk).filter(pk__gt=last).order_by("pk")[:BATCH_SIZE]):
        last = rows[-1].pk
        done = _tell_and_refund(rows, activity, by=by, at=at)
        count += len(done)
        _close_untouched(done, by=by, at=at)
    while entries := list(_untold_entries(activity.pk).order_by("pk")[:BATCH_SIZE]):
        with transaction.atomic():
            enqueue([called_off_message_to_waiting(entry) for entry in entries], at=at)
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
    still_due = _unfinished_registrations(activity.pk).filter(order__in=orders).order_by("pk")
    due = list(still_due.select_for_update(no_key=True, of=("self",)))
    untold = [row for row in due if not cast(Any, row).is_told]
    effects = [called_off_message(row, orders[row.order_id]) for row in untold]
    reason = activity.called_off_reason
    for row in due:
        if cast(Any, row).is_refund_due:
            effects += _refund_of(orders[row.order_id], reason=reason, by=by, at=at)
    enqueue(effects, at=at)
    record_staff_action(CALLED_OFF, order_ids=[row.order_id for row in untold], reason=reason, by=by, at=at)
    end_holds([row for row in due if orders[row.order_id].status in AWAITING_PAYMENT], at=at)
    return due


def _refund_of(order: Order, *, reason: str, by: Any, at: datetime) -> list[EffectRequest]:
    return refund_requests(owner=order, reason=reason, key=REFUND_KEY, by=str(by), at=at)


def _close_untouched(rows: Sequence[Registration], *, by: Any, at: datetime) -> None:
    """Orders for which Stripe was never asked end here and now; an open payment page is the clean-up's to end."""
    waiting = Order.objects.filter(pk__in=[row.order_id for row in rows], status__in=AWAITING_PAYMENT)
    asked = waiting.filter(checkouts__session__gt="") | waiting.filter(checkouts__params__isnull=False)
    source = str(by)[:HISTORY_TEXT_MAX_LENGTH]
    for order_id in waiting.exclude(pk__in=asked.values("pk")).order_by("pk").values_list("pk", flat=True):
        # Somebody may have opened a payment page since; then Stripe is asked, and may be away.
        with suppress(GatewayUnavailable, GatewayRefused):
            close_order(order_id=order_id, at=at, source=source, status=OrderStatus.CANCELED)


def _unfinished_activities() -> QuerySet[Activity]:
    """The activities that were called off and of which somebody is still to be told or refunded. One query."""
    called_off = Activity.objects.filter(called_off_at__isnull=False).order_by("pk")
    return called_off.filter(
        Exists(_unfinished_registrations(OuterRef("pk"))) | Exists(_untold_entries(OuterRef("pk")))
    )  # fmt: skip


def _unfinished_registrations(activity_id: int | OuterRef) -> QuerySet[Registration]:
    """The registrations that are not told yet, or with money that nobody has asked back; each says which of them.

    Who has left (ended unpaid, refunded, dispute lost) is not told. Money in an open dispute lies with the bank: it is
    asked back once the dispute is won.
    """
    is_told = Exists(Effect.objects.filter(key=_effect_key("registration.called_off:")))
    is_due = Exists(_payments_to_refund().filter(order=OuterRef("order")))
    rows = _still_registered(activity_id).annotate(is_told=is_told, is_refund_due=Q(IS_PAID) & is_due)
    return rows.filter(Q(is_told=False) | Q(is_refund_due=True))


def _still_registered(activity_id: int | OuterRef) -> QuerySet[Registration]:
    """Who still counts on the activity."""
    rows = Registration.objects.filter(activity_id=activity_id).exclude(status__in=ENDED_STATUSES)
    return rows.exclude(order__dispute_state=DisputeState.LOST)


def _untold_entries(activity_id: int | OuterRef) -> QuerySet[WaitingEntry]:
    """Who waits for an offer that will not come, and is not told yet."""
    is_told = Exists(Effect.objects.filter(key=_effect_key("waiting.called_off:")))
    return WaitingEntry.objects.waiting().filter(~is_told, activity_id=activity_id)


def _payments_to_refund() -> QuerySet[Payment]:
    """Payments with money left for which this refund is not asked yet."""
    asked = Effect.objects.filter(order=OuterRef("order"), kind=REFUND, key__endswith=_effect_key(f":{REFUND_KEY}:"))
    return Payment.objects.filter(~Exists(asked), received__gt=F("refunded") + F("lost"))


def _effect_key(prefix: str) -> Concat:
    """The key, or its end, of the effect about a row: the prefix and the row's id."""
    return Concat(Value(prefix), Cast(OuterRef("pk"), CharField()), output_field=CharField())
