"""Whether rows are what their own parts say: found out without a question to anybody."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import QuerySet

from payments.billing.models import Payment, Subscription
from payments.operations.reconcile.chunks import chunks_of
from payments.orders.fold import recompute, refunded_of
from payments.orders.models import Order

WORKED_OUT = ("status", "paid_at", "amount_received", "amount_refunded", "dispute_state")
Change = tuple[str, str, str]


def unsettled(order_ids: Collection[int]) -> dict[int, list[Change]]:
    """The orders that are not what their money and their tries say: what is stored, and what it should be."""
    rows = Order.objects.filter(pk__in=order_ids).prefetch_related("payments", "refunds", "disputes", "checkouts")
    found = {order.pk: _differences(order) for order in rows.order_by("pk")}
    return {key: changes for key, changes in found.items() if changes}


def unsettled_subscriptions(rows: QuerySet[Subscription]) -> Iterator[str]:
    """The subscriptions of which a payment is not refunded as its refunds say."""
    for ids in chunks_of(rows):
        for row in Subscription.objects.filter(pk__in=ids).prefetch_related("payments", "refunds").order_by("pk"):
            refunds = list(row.refunds.all())
            if any(payment.refunded != refunded_of(payment, refunds) for payment in row.payments.all()):
                yield row.stripe_id


def _differences(order: Order) -> list[Change]:
    payments = list(order.payments.all())
    before = _picture(order, payments)
    recompute(
        order,
        payments=payments,
        refunds=list(order.refunds.all()),
        disputes=list(order.disputes.all()),
        sessions={checkout.session for checkout in order.checkouts.all() if checkout.session},
    )
    after = _picture(order, payments)
    return [(name, _word(before[name]), _word(after[name])) for name in before if before[name] != after[name]]


def _picture(order: Order, payments: Collection[Payment]) -> dict[str, Any]:
    values = {name: getattr(order, name) for name in WORKED_OUT}
    return {**values, **{f"refunded {payment.key}": payment.refunded for payment in payments}}


def _word(value: object) -> str:
    return "" if value is None else str(value)
