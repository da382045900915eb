"""What has been asked back and how far that is: the money of which nobody may dispose a second time."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import F, QuerySet

from payments.billing.models import Dispute, Payment, Refund
from payments.billing.subscriptions import Subscription
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import DisputePhase, EffectStatus

KIND = "refund"
# An inquiry has taken no money yet: a refund is one way to settle it.
INQUIRY = "warning_"
# Whom money belongs to.
Owner = Order | Subscription
T = TypeVar("T", Effect, Payment)


@dataclass(frozen=True, slots=True)
class Left:
    """Of this payment so much (minor units of its currency, more than 0) has neither gone back nor been asked back."""

    payment: Payment
    amount: int


def owned_by(owner: Owner) -> dict[str, Any]:
    """The condition that finds what belongs to it."""
    return {"order": owner} if isinstance(owner, Order) else {"subscription": owner}


def left_to_refund(owner: Owner) -> list[Left]:
    """What can still be asked back, the latest payment first: it is the one too many. Refunds given up do not count."""
    asked = _under_way(owner)
    payments = _with_money(**owned_by(owner)).order_by("-paid_at", "-pk")
    return [Left(payment, left) for payment in payments if (left := _left_of(payment, asked)) > 0]


def charged_back(owner: Owner) -> set[str]:
    """The payments whose money the bank has taken, for the time being or for good: none of it can go back twice."""
    rows = Dispute.objects.filter(**owned_by(owner), phase__in=[DisputePhase.OPEN, DisputePhase.LOST])
    return set(rows.exclude(status__startswith=INQUIRY).values_list("payment", flat=True))


def is_under_way(owner: Owner) -> bool:
    """Whether money of the order or subscription may be on its way back at this moment."""
    return bool(_under_way(owner))


def going_back(order_ids: Collection[int]) -> set[int]:
    """The orders of which all the money that is here has been asked back.

    A refund that was given up counts too: only a person can say what becomes of that money.
    """
    if not order_ids:
        return set()
    asked = _by_order(_not_heard_of(order_id__in=order_ids))
    payments = _by_order(_with_money(order_id__in=order_ids)) if asked else {}
    return {
        order_id
        for order_id, here in payments.items()
        if order_id and not any(_left_of(payment, asked.get(order_id, [])) for payment in here)
    }


def _under_way(owner: Owner) -> list[Effect]:
    return [effect for effect in _not_heard_of(**owned_by(owner)) if effect.status != EffectStatus.DEAD]


def _not_heard_of(**whose: Any) -> list[Effect]:
    """The refunds whose money still counts as here: what Stripe has told of stands in the payment itself."""
    effects = Effect.objects.filter(kind=KIND, **whose).exclude(status=EffectStatus.SKIPPED)
    known = set(Refund.objects.filter(**whose).values_list("stripe_id", flat=True)) if effects else set()
    return [effect for effect in effects if effect.data.get("refund") not in known]


def _with_money(**whose: Any) -> QuerySet[Payment]:
    return Payment.objects.filter(**whose, received__gt=F("refunded"))


def _by_order(rows: Iterable[T]) -> dict[int | None, list[T]]:
    found: dict[int | None, list[T]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(row)
    return found


def _left_of(payment: Payment, asked: Iterable[Effect]) -> int:
    """What came by another way than Stripe cannot go back through it."""
    amounts = [effect.data["amount"] for effect in asked if effect.data["payment"] == payment.key]
    # None: everything.
    return 0 if None in amounts else max(0, payment.left - payment.off_stripe - sum(amounts))
