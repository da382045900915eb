"""The mails to a buyer about money that moves after the payment: the same for whatever was bought."""

from typing import Any

from django.conf import settings
from django.db.models import Max

from payments.billing.alerts import (
    ALL_WENT_BACK,
    DISPUTE_MOVED_ON,
    NOTHING_WENT_BACK,
    OLD_NEWS,
    REFUND_NOT_FAILED,
    REFUNDED_SINCE,
    is_old_news,
    is_replaced,
)
from payments.billing.models import Dispute, Refund
from payments.effects.deliver import SUBJECT_GONE, Skip
from payments.effects.mail import Mail, amount_in_words, mails
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.products import language_of, product_of
from payments.statuses import DisputePhase, DisputeState, OrderStatus, RefundStatus


@mails("order.refunded_in_part")
def refunded_in_part(effect: Effect) -> Mail | Skip:
    order = effect.order
    if order is None:
        return SUBJECT_GONE
    if order.status == OrderStatus.REFUNDED:
        return ALL_WENT_BACK
    if not order.amount_refunded:
        return NOTHING_WENT_BACK
    if is_old_news(order.refunds.aggregate(last=Max("status_at"))["last"], effect):
        return OLD_NEWS
    return _mail(
        order,
        refunded=amount_in_words(order.amount_refunded, order.currency),
        received=amount_in_words(order.amount_received, order.currency),
        is_kept=order.has_money,
    )


@mails("order.refund_failed")
def refund_failed(effect: Effect) -> Mail | Skip:
    refund = Refund.objects.filter(stripe_id=effect.data["refund"]).first()
    if refund is None or effect.order is None:
        return SUBJECT_GONE
    if refund.status != RefundStatus.FAILED:
        return REFUND_NOT_FAILED
    if effect.order.status == OrderStatus.REFUNDED or is_replaced(refund):
        return REFUNDED_SINCE
    if is_old_news(refund.status_at, effect):
        return OLD_NEWS
    return _mail(effect.order, amount=amount_in_words(refund.amount, refund.currency))


@mails("order.payment_taken_back")
def payment_taken_back(effect: Effect) -> Mail | Skip:
    """What was bought has ended only where no other payment pays for it, and not more was lost than a part."""
    dispute = Dispute.objects.filter(stripe_id=effect.data["dispute"]).first()
    order = effect.order
    if dispute is None or order is None:
        return SUBJECT_GONE
    if dispute.phase != DisputePhase.LOST:
        return DISPUTE_MOVED_ON
    if order.status == OrderStatus.REFUNDED:
        return ALL_WENT_BACK
    if is_old_news(dispute.status_at, effect):
        return OLD_NEWS
    amount = amount_in_words(dispute.amount, dispute.currency)
    return _mail(order, amount=amount, has_ended=order.dispute_state == DisputeState.LOST)


def _mail(order: Order, **context: Any) -> Mail:
    address = order.user.email if order.user else order.email
    path = product_of(order).page_in_mails(order)
    link = f"{settings.SITE_URL}{path}" if path else ""
    known = {"order": order, "link": link, **product_of(order).facts_in_mails(order)}
    return Mail(to=(address,) if address else (), language=language_of(order), context={**known, **context})
