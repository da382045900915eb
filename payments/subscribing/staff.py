"""What staff decide about somebody's subscription: it ends now, or its access is given back. Each says who and why."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from payments.apply.apply import recompute_subscription
from payments.bell import ring_on_commit
from payments.billing.fold import running_payments
from payments.billing.models import Payment, Subscription
from payments.orders.models import OrderException
from payments.refunds.staff_refunds import DecisionRefused, require, tell_closed
from payments.statuses import SUBSCRIPTION_ENDED, ExceptionKind
from payments.stripe_api.gateway import Answer, GatewayRefused, cancel_subscription
from payments.stripe_api.lookups import look_up_subscription
from payments.stripe_api.snapshots import StripeSubscription
from payments.subscribing.current import apply_answer

log = structlog.get_logger(__name__)
SOURCE_MAX_LENGTH = 255


def cancel_now(*, subscription: Subscription, reason: str, by: str, at: datetime) -> None:
    """End it at Stripe at once: nothing more is charged, nothing is refunded. Not to be called inside a transaction.

    Raises DecisionRefused where Stripe says no, GatewayUnavailable where it says nothing: press again.
    """
    require(reason)
    name = subscription.stripe_id
    try:
        answer = cancel_subscription(subscription=name, idempotency_key=f"{name}:end:{at:%Y%m%d%H%M%S}")
    except GatewayRefused as refusal:
        # It may have ended there already, which only has not been heard of here.
        answer = _look_up(name, refusal)
    apply_answer(answer, source=f"{by}: {reason}"[:SOURCE_MAX_LENGTH], at=at)
    log.info("subscription.canceled", subscription=name, by=by, reason=reason)


def _look_up(name: str, refusal: GatewayRefused) -> Answer:
    words = DecisionRefused(_("Stripe has refused: %s") % refusal.message)
    try:
        answer = look_up_subscription(name)
    except GatewayRefused:
        raise words from refusal
    if StripeSubscription.read(answer.raw).status not in SUBSCRIPTION_ENDED:
        raise words from refusal
    return answer


@transaction.atomic
def give_access_back(*, subscription: Subscription, reason: str, by: User, at: datetime) -> None:
    """Open what the period had paid for, although its money went back. Raises DecisionRefused if it did not."""
    require(reason)
    row = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
    if not row.money_back:
        raise DecisionRefused(_("The money of the running period has not gone back, or is here again."))
    keys = [payment.key for payment in running_payments(row, row.payments.all())]
    Payment.objects.filter(key__in=keys).update(access_kept=True)
    settled = OrderException.objects.filter(subject__in=keys, kind=ExceptionKind.PERIOD_REFUNDED, is_open=True)
    for question in list(settled):
        OrderException.objects.filter(pk=question.pk).update(
            is_open=False, closed_at=at, closed_reason=reason.strip()[:500], closed_by=by
        )
        tell_closed(question)
    recompute_subscription(row.pk, source=f"{by.get_username()}: {reason}"[:SOURCE_MAX_LENGTH], at=at)
    log.info("subscription.access_given_back", subscription=row.stripe_id, by=by.pk, reason=reason)
    ring_on_commit()
