"""Subscriptions that staff end: the wish is an effect, which Stripe is asked for; what nobody has decided is asked."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.hooks import Ending
from accounts.models import User
from payments.apply.apply import save_exceptions
from payments.bell import ring_on_commit
from payments.billing.models import Subscription
from payments.effects.deliver import Skip, delivers
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.orders.models import OrderChange, OrderException
from payments.products import Question, Value, sum_of
from payments.refunds.staff_refunds import DecisionRefused, require, require_open
from payments.statuses import EffectStatus, ExceptionKind
from payments.stripe_api.gateway import cancel_subscription, update_subscription
from payments.stripe_api.lookups import look_up_subscription
from payments.subscribing.current import apply_answer

log = structlog.get_logger(__name__)
SUBSCRIPTION_END = "subscription.end"
# What the history calls it.
ENDED_BY_STAFF = "ended"
ENDS_ALREADY = Skip(gettext_noop("The subscription has ended, or is going to, already."))
GOES_ON = gettext_noop("The account of %(person)s is switched off, and %(what)s goes on being billed: %(amount)s.")


def billed_on(user: User) -> QuerySet[Subscription]:
    """What the person goes on being billed for: live, and no end is planned."""
    return _going_on().filter(customer__user=user)


def end_request(row: Subscription, ending: Ending, *, by: str, at: datetime) -> EffectRequest:
    """What asks Stripe to end it, now or with its period; to be enqueued in the caller's transaction."""
    key = f"{SUBSCRIPTION_END}:{row.stripe_id}:{ending}:{at:%Y%m%d%H%M%S}"
    data = {"subscription": row.stripe_id, "ending": str(ending), "by": by}
    return EffectRequest(key, SUBSCRIPTION_END, None, data, subscription_id=row.pk)


@delivers(SUBSCRIPTION_END, repeatable=True, words=gettext_lazy("Stripe is asked to end the subscription"))
def deliver_end(effect: Effect) -> Skip | None:
    """Ask Stripe, and apply its answer. Raises GatewayUnavailable, GatewayRefused."""
    if effect.attempts > 1:
        # How an earlier try has ended is unknown, and what has ended cannot be ended.
        apply_answer(look_up_subscription(effect.data["subscription"]), at=timezone.now())
    row = Subscription.objects.filter(stripe_id=effect.data["subscription"]).first()
    is_now = effect.data["ending"] == Ending.NOW
    if row is None or row.has_ended or (row.cancel_at and not is_now):
        return ENDS_ALREADY
    key = f"{effect.key}:{effect.attempts}:{effect.data.get('again', 0)}"
    answer = (
        cancel_subscription(subscription=row.stripe_id, idempotency_key=key)
        if is_now
        else update_subscription(subscription=row.stripe_id, params={"cancel_at_period_end": True}, idempotency_key=key)
    )
    apply_answer(answer, at=timezone.now())
    ask_about_closed_accounts(at=timezone.now())
    return None


@transaction.atomic
def ask_about_closed_accounts(*, at: datetime) -> int:
    """Open a question for each subscription that is billed to somebody who may not sign in, close those that are over.

    However the account was switched off. What is being ended is not asked about. Returns how many there are.
    """
    rows = _going_on().filter(customer__user__is_active=False).select_related("customer__user", "plan")
    being_ended = Effect.objects.filter(
        kind=SUBSCRIPTION_END, status__in=[EffectStatus.PENDING, EffectStatus.CLAIMED]
    ).values("subscription")
    questions = [_question(row) for row in rows.exclude(pk__in=being_ended)]
    asked = OrderException.objects.filter(kind=ExceptionKind.ACCOUNT_CLOSED, is_open=True)
    over = asked.exclude(subject__in=rows.values("stripe_id"))
    gone = [Question(ExceptionKind.ACCOUNT_CLOSED, row.subject, None, False) for row in over]
    save_exceptions([*questions, *gone], at=at)
    return len(questions)


@transaction.atomic
def end_in_question(*, exception: OrderException, ending: Ending, reason: str, by: str, at: datetime) -> None:
    """End the subscription that the question is about; it closes when Stripe has done so. Raises DecisionRefused."""
    require(reason)
    require_open(exception)
    row = Subscription.objects.select_for_update(no_key=True).filter(exceptions=exception).first()
    if row is None or row.has_ended:
        raise DecisionRefused(_("There is no subscription to end."))
    enqueue([end_request(row, ending, by=by, at=at)], at=at)
    OrderChange.objects.create(
        subscription=row, field=ENDED_BY_STAFF, after=reason[:255], occurred_at=at, learned_at=at, source=by[:255]
    )
    log.info("subscription.end_asked", subscription=row.stripe_id, ending=str(ending), by=by, reason=reason)
    ring_on_commit()


def _going_on() -> QuerySet[Subscription]:
    return Subscription.objects.live().filter(cancel_at__isnull=True)


def _question(row: Subscription) -> Question:
    values: dict[str, Value] = {
        "person": str(row.customer), "what": str(row.plan or row.stripe_id), "amount": sum_of(row.amount, row.currency),
    }  # fmt: skip
    return Question(ExceptionKind.ACCOUNT_CLOSED, row.stripe_id, None, True, GOES_ON, values, row.pk)
