"""Money that does not fit its order: staff decide that it counts all the same."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from payments.apply.apply import recompute_order
from payments.bell import ring_on_commit
from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.orders.models import Order, OrderChange, OrderException
from payments.refunds.staff_refunds import DecisionRefused, require, require_open
from payments.sql import kept_or_untold
from payments.statuses import Accepted, ExceptionKind

log = structlog.get_logger(__name__)
# What it means to accept the money of a question.
ACCEPTABLE: dict[str, Accepted] = {
    ExceptionKind.UNKNOWN_SESSION: Accepted.PAGE, ExceptionKind.AMOUNT_MISMATCH: Accepted.WHOLE,
}  # fmt: skip
# What changes in the history of the order: what, before, after.
Change = tuple[str, str, str]


def can_be_accepted(exception: OrderException) -> bool:
    """Whether it is open and about money of an order that is here, as far as the question itself tells."""
    is_sum = exception.kind == ExceptionKind.UNKNOWN_SESSION or "received" in exception.values
    return exception.is_open and exception.kind in ACCEPTABLE and exception.order_id is not None and is_sum


@kept_or_untold()
def accept(*, exception: OrderException, reason: str, by: User | None, at: datetime) -> tuple[list[Change], int]:
    """Let the money in question count for its order as it is. Returns what changed, and how many messages go out.

    What came through a page that is not ours belongs to the order from now on: where its amount differs that is asked
    next. Of another amount than was asked for: it pays the order. Raises DecisionRefused where the money is not here.
    """
    require(reason)
    if exception.kind not in ACCEPTABLE or exception.order_id is None:
        raise DecisionRefused(_("This is no question of a payment that could be accepted."))
    order = Order.objects.select_for_update(no_key=True).get(pk=exception.order_id)
    require_open(exception)
    mine = Payment.objects.filter(order=order)
    payment = mine.filter(Q(key=exception.subject) | Q(session=exception.subject)).first()
    if payment is None or payment.here == 0:
        raise DecisionRefused(_("The money is not here any more."))
    last = OrderChange.objects.filter(order=order).order_by("pk").values_list("pk", flat=True).last() or 0
    told_before = Effect.objects.filter(order=order).count()
    mine.filter(pk=payment.pk).update(accepted=ACCEPTABLE[exception.kind])
    recompute_order(order.pk, source=f"{by}: {reason}"[:255], at=at)
    settled = OrderException.objects.filter(pk=exception.pk)
    settled.update(is_open=False, closed_at=at, closed_reason=reason.strip()[:500], closed_by=by)
    log.info(
        "exception.accepted", question=exception.pk, order=order.pk, payment=payment.key, by=by and by.pk, reason=reason
    )
    ring_on_commit()
    changes = OrderChange.objects.filter(order=order, pk__gt=last).order_by("pk")
    messages = Effect.objects.filter(order=order).count() - told_before
    return list(changes.values_list("field", "before", "after")), messages


def preview_accept(*, exception: OrderException, at: datetime) -> tuple[list[Change], int]:
    """What `accept` would change, and how many messages it would send; nothing is kept. Raises as `accept` does."""
    with kept_or_untold():
        found = accept(exception=exception, reason="preview", by=None, at=at)
        transaction.set_rollback(True)
    return found
