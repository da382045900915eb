"""What staff decide about money: refund an order, settle a question of the exception desk. Each says who and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payments.apply.apply import follow_orders_again
from payments.bell import ring_on_commit
from payments.billing.models import Subscription
from payments.effects.enqueue import enqueue
from payments.effects.models import Effect
from payments.names import REFUND_KIND
from payments.orders.models import Order, OrderException
from payments.refunds.refund import (
    Owner,
    Refundable,
    charged_back,
    is_under_way,
    left_to_refund,
    name_of,
    owned_by,
    refund_requests,
)
from payments.sql import watched
from payments.statuses import EffectStatus, ExceptionKind

log = structlog.get_logger(__name__)
ABOUT_EVERYTHING = (ExceptionKind.NO_PLACE, ExceptionKind.SECOND_SUBSCRIPTION)
WITHDRAWN = gettext_noop("Withdrawn: the order got what it had paid for after all.")


class DecisionRefused(ValueError):
    """It cannot be done, or not any more; the text says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What somebody saw who decides: how often a refund was asked for, and how much is left in all payments."""

    asked: int
    left: int

    def __str__(self) -> str:
        return f"{self.asked}:{self.left}"


def preview_refund(owner: Owner) -> tuple[RefundPreview, list[Refundable]]:
    """What can be refunded now, and the preview that the refund wants back."""
    banks = charged_back(owner)
    left = [each for each in left_to_refund(owner) if each.payment.key not in banks]
    asked = Effect.objects.filter(**owned_by(owner), kind=REFUND_KIND).count()
    return RefundPreview(asked, sum(each.amount for each in left)), left


def why_nothing(owner: Owner) -> str:
    """Why nothing can be refunded, in a sentence."""
    if charged_back(owner):
        return _("The bank has taken money of %s because of a dispute: it cannot be refunded as well.") % owner_name(
            owner
        )
    return _("Nothing of %s is left to refund.") % owner_name(owner)


def owner_name(owner: Owner) -> str:
    """What people quote."""
    return owner.number if isinstance(owner, Order) else owner.stripe_id


@transaction.atomic
def refund_order(*, order_id: int, amount: int | None, reason: str, by: str, shown: str, at: datetime) -> list[str]:
    """Ask for money of the order to go back: `amount` in minor units of its currency, or (None) all that is left.

    `shown`: `str` of the preview. Pressed twice it is one refund, and the second time returns []; if anything else has
    happened since, raises DecisionRefused. Raises RefundTooLarge.
    """
    require(reason)
    order = _lock(order_id)
    keys = _ask_once(order, amount=amount, reason=reason, by=by, shown=shown, at=at)
    return _asked(order, keys, by=by, reason=reason, at=at) if keys else []


@transaction.atomic
def refund_subscription(
    *, subscription_id: int, payment: str, amount: int | None, reason: str, by: str, shown: str, at: datetime
) -> list[str]:
    """Ask for money of one payment (`in_…`) of the subscription to go back; as `refund_order`.

    Access ends with the whole of the running period's money; the subscription itself goes on.
    """
    require(reason)
    row = Subscription.objects.select_for_update(no_key=True).get(pk=subscription_id)
    keys = _ask_once(row, payment=payment, amount=amount, reason=reason, by=by, shown=shown, at=at)
    return _asked(row, keys, by=by, reason=reason, at=at) if keys else []


def _ask_once(
    owner: Owner, *, amount: int | None, reason: str, by: str, shown: str, at: datetime, payment: str = ""
) -> list[str]:
    """The effects that are new; [] where this very refund has been asked for. The owner is locked."""
    key = f"staff:{shown.partition(':')[0]}"
    mine = Effect.objects.filter(
        **owned_by(owner), kind=REFUND_KIND, key__startswith=f"{REFUND_KIND}:{name_of(owner)}:{key}:"
    )
    if mine.exists():
        return []
    if str(preview_refund(owner)[0]) != shown:
        raise DecisionRefused(_("Something has happened to %s meanwhile: look at it again.") % owner_name(owner))
    requests = refund_requests(
        owner=owner, payment=payment, exclude=charged_back(owner), amount=amount, reason=reason, by=by, key=key, at=at
    )
    keys = enqueue(requests, at=at)
    if not keys:
        raise DecisionRefused(_("Nothing is left to refund, or a refund has been asked for already."))
    return keys


@transaction.atomic
def refund_exception(*, exception: OrderException, reason: str, by: str, at: datetime) -> list[str]:
    """Ask for the money in question to go back whole; the question stays open until Stripe says that it has.

    Raises DecisionRefused where nothing is left of it, or the question has found another end.
    """
    require(reason)
    owner = _lock_owner(exception)
    shown, left = preview_refund(owner)
    payments = [each.payment.key for each in left if concerns(exception, each)]
    requests = [
        request
        for payment in payments
        for request in refund_requests(
            owner=owner, payment=payment, reason=reason, by=by, key=f"staff:{shown.asked}", at=at,
            is_duplicate=exception.kind == ExceptionKind.SECOND_PAYMENT,
        )
    ]  # fmt: skip
    keys = enqueue(requests, at=at)
    if not keys:
        raise DecisionRefused(_("Nothing is left to refund, or a refund has been asked for already."))
    _asked(owner, keys, by=by, reason=reason, at=at)
    # Last, because following locks what the question is about: somebody may have found a place at this very moment.
    require_open(exception)
    return keys


@transaction.atomic
def give_place(*, exception: OrderException, reason: str, by: str, at: datetime) -> None:
    """Give who paid without a place the one that is free now. Raises DecisionRefused if there is none."""
    require(reason)
    if exception.kind != ExceptionKind.NO_PLACE or exception.order_id is None:
        raise DecisionRefused(_("This is no question of a place."))
    order = _lock(exception.order_id)
    require_open(exception)
    _withdraw_refunds(order)
    follow_orders_again([order.pk], source=f"{by}: {reason}"[:255], at=at)
    exception.refresh_from_db()
    if exception.is_open:
        raise DecisionRefused(_("No place is free, or this person holds one already."))
    log.info("exception.seated", question=exception.pk, order=order.pk, by=by, reason=reason)
    ring_on_commit()


@transaction.atomic
def dismiss(*, exception: OrderException, reason: str, by: Any, at: datetime) -> None:
    """Close the question for good: nothing is done about the money. Raises DecisionRefused if it is closed already."""
    require(reason)
    open_ones = OrderException.objects.filter(pk=exception.pk, is_open=True)
    if not open_ones.update(is_open=False, closed_at=at, closed_reason=reason.strip()[:500], closed_by=by):
        raise DecisionRefused(_("This question is closed already."))
    # What it is about is not tried any more: whoever decides that nothing is done must not be surprised.
    waiting = Effect.objects.filter(key=exception.subject, status=EffectStatus.PENDING)
    waiting.update(status=EffectStatus.DEAD)
    tell_closed(exception)
    log.info("exception.dismissed", question=exception.pk, order=exception.order_id, by=by.pk, reason=reason)


def tell_closed(exception: OrderException) -> None:
    """To who watches: staff have closed it by hand."""
    if seen := watched():
        exception.refresh_from_db()
        seen.questions.append(exception)


def concerns(exception: OrderException, left: Refundable) -> bool:
    """Whether the question is about this payment: who has no place, or one subscription too many, gets back all."""
    names = (left.payment.key, left.payment.session)
    return exception.kind in ABOUT_EVERYTHING or exception.subject in names


def owner_of(exception: OrderException) -> Owner | None:
    """Whose money the question is about; None: nothing here."""
    return exception.subscription or exception.order


def require(reason: str) -> None:
    """Raises DecisionRefused without a reason."""
    if not reason.strip():
        raise DecisionRefused(_("A decision about money needs a reason."))


def _lock(order_id: int) -> Order:
    return Order.objects.select_for_update(no_key=True).get(pk=order_id)


def _lock_owner(exception: OrderException) -> Owner:
    """Raises DecisionRefused where the money belongs to nobody here."""
    if exception.subscription_id:
        return Subscription.objects.select_for_update(no_key=True).get(pk=exception.subscription_id)
    if exception.order_id:
        return _lock(exception.order_id)
    raise DecisionRefused(_("No order belongs to this money: refund it in the Stripe Dashboard."))


def _asked(owner: Owner, keys: list[str], *, by: str, reason: str, at: datetime) -> list[str]:
    """Whoever gets all their money back waits for no place any more."""
    if isinstance(owner, Order):
        follow_orders_again([owner.pk], source=f"{by}: {reason}"[:255], at=at)
    kind = "order" if isinstance(owner, Order) else "subscription"
    log.info("refund.asked", **{kind: owner.pk}, effects=keys, by=by, reason=reason)
    ring_on_commit()
    return keys


def require_open(exception: OrderException) -> None:
    """Raises DecisionRefused where the question has found an end."""
    exception.refresh_from_db()
    if not exception.is_open:
        raise DecisionRefused(_("This question is closed already."))


def _withdraw_refunds(order: Order) -> None:
    """Take back what was given up. Raises DecisionRefused while money may be on its way: nobody gets both."""
    if is_under_way(order):
        raise DecisionRefused(_("A refund of %s is under way: it cannot have a place as well.") % order.number)
    given_up = Effect.objects.filter(order=order, kind=REFUND_KIND, status=EffectStatus.DEAD)
    given_up.update(status=EffectStatus.SKIPPED, outcome=WITHDRAWN)
