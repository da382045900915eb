"""What has been asked back and how far that is: the money of which nobody may dispose a second time."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import F, QuerySet

from payments.billing.models import Payment, Refund
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import EffectStatus

KIND = "refund"
T = TypeVar("T", Effect, Payment)


@dataclass(frozen=True, slots=True)
class Left:
    """Of this payment so much (minor units of its currency, more than 0) has neither gone back nor been asked back."""

    payment: Payment
    amount: int


def left_to_refund(order: Order) -> list[Left]:
    """What can still be asked back, the latest payment first: it is the one too many. Refunds given up do not count."""
    asked = _under_way(order)
    payments = _with_money([order.pk]).order_by("-paid_at", "-pk")
    return [Left(payment, left) for payment in payments if (left := _left_of(payment, asked)) > 0]


def is_under_way(order: Order) -> bool:
    """Whether money of the order may be on its way back at this moment."""
    return bool(_under_way(order))


def going_back(order_ids: Collection[int]) -> set[int]:
    """The orders of which all the money that is here has been asked back.

    A refund that was given up counts too: only a person can say what becomes of that money.
    """
    if not order_ids:
        return set()
    asked = _by_order(_not_heard_of(order_ids))
    payments = _by_order(_with_money(order_ids)) if asked else {}
    return {
        order_id
        for order_id, here in payments.items()
        if order_id and not any(_left_of(payment, asked.get(order_id, [])) for payment in here)
    }


def _under_way(order: Order) -> list[Effect]:
    return [effect for effect in _not_heard_of([order.pk]) if effect.status != EffectStatus.DEAD]


def _not_heard_of(order_ids: Collection[int]) -> list[Effect]:
    """The refunds whose money still counts as here: what Stripe has told of stands in the payment itself."""
    effects = Effect.objects.filter(kind=KIND, order_id__in=order_ids).exclude(status=EffectStatus.SKIPPED)
    known = set(Refund.objects.filter(order_id__in=order_ids).values_list("stripe_id", flat=True)) if effects else set()
    return [effect for effect in effects if effect.data.get("refund") not in known]


def _with_money(order_ids: Collection[int]) -> QuerySet[Payment]:
    return Payment.objects.filter(order_id__in=order_ids, received__gt=F("refunded"))


def _by_order(rows: Iterable[T]) -> dict[int | None, list[T]]:
    found: dict[int | None, list[T]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(row)
    return found


def _left_of(payment: Payment, asked: Iterable[Effect]) -> int:
    amounts = [effect.data["amount"] for effect in asked if effect.data["payment"] == payment.key]
    # None: everything.
    return 0 if None in amounts else max(0, payment.left - sum(amounts))
