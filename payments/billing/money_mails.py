"""The mails to whoever has a subscription about money of it that moves after the payment; as of orders, each once.

Where all the money of the running period went back, `subscription.access_ended` says so (payments/billing/mails.py).
"""

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
from payments.billing.mails import ANOTHER_MAIL_OF_END, find_subscription, subscriber_mail
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.deliver import SUBJECT_GONE, Skip
from payments.effects.mail import Mail, amount_in_words, mails
from payments.effects.models import Effect
from payments.statuses import DisputePhase, MoneyBack, RefundStatus


@mails("subscription.refunded")
def refunded(effect: Effect) -> Mail | Skip:
    """Of one payment: a part, or all of one that is not the running period's only one."""
    row, payment = find_subscription(effect), Payment.objects.filter(key=effect.data["payment"]).first()
    if row is None or payment is None:
        return SUBJECT_GONE
    if not payment.refunded:
        return NOTHING_WENT_BACK
    if _is_told_by_end(payment.key, MoneyBack.REFUNDED):
        return ANOTHER_MAIL_OF_END
    if is_old_news(Refund.objects.filter(payment=payment.key).aggregate(last=Max("status_at"))["last"], effect):
        return OLD_NEWS
    received, back = (amount_in_words(amount, payment.currency) for amount in (payment.received, payment.refunded))
    return subscriber_mail(row, effect, received=received, refunded=back, is_whole=not payment.left)


@mails("subscription.refund_failed")
def refund_failed(effect: Effect) -> Mail | Skip:
    row, refund = find_subscription(effect), Refund.objects.filter(stripe_id=effect.data["refund"]).first()
    if row is None or refund is None:
        return SUBJECT_GONE
    if refund.status != RefundStatus.FAILED:
        return REFUND_NOT_FAILED
    if is_replaced(refund):
        return REFUNDED_SINCE
    if is_old_news(refund.status_at, effect):
        return OLD_NEWS
    return subscriber_mail(row, effect, amount=amount_in_words(refund.amount, refund.currency))


@mails("subscription.payment_taken_back")
def payment_taken_back(effect: Effect) -> Mail | Skip:
    """By the bank. What was refunded before is none that we still have: then nothing more was taken."""
    row, dispute = find_subscription(effect), Dispute.objects.filter(stripe_id=effect.data["dispute"]).first()
    if row is None or dispute is None:
        return SUBJECT_GONE
    if dispute.phase != DisputePhase.LOST:
        return DISPUTE_MOVED_ON
    if _is_told_by_end(dispute.payment, MoneyBack.DISPUTE_LOST):
        return ANOTHER_MAIL_OF_END
    payment = Payment.objects.filter(key=dispute.payment).first()
    if payment and payment.received and not payment.left:
        return ALL_WENT_BACK
    if is_old_news(dispute.status_at, effect):
        return OLD_NEWS
    return subscriber_mail(row, effect, amount=amount_in_words(dispute.amount, dispute.currency))


def _is_told_by_end(payment: str, reason: str) -> bool:
    return Effect.objects.filter(key=f"subscription.access_ended:{payment}:{reason}").exists()
