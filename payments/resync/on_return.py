"""Somebody has come back from paying, and no event has told of it yet: Stripe is asked at once, then with patience.

What is learned so is confirmed so. Staff hear of it where the event has not come minutes later: then Stripe's webhooks
do not reach this site.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_noop

from payments.apply.batch import guarded
from payments.effects.deliver import SUBJECT_GONE, Skip
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.ledger.models import EventSource, PaymentEvent
from payments.orders.models import CheckoutAttempt, Order
from payments.resync.resync import Resynced, ResyncOptions, resync_order, resync_subscription
from payments.statuses import EffectStatus, OrderStatus
from payments.stripe_api.gateway import in_a_hurry

log = structlog.get_logger(__name__)
# So long after the last question, in seconds, Stripe is asked once more about a session; then no more.
PATIENCE = (0, 4, 15, 60, 300, 900)
SOURCE = "return from Checkout"
ALERT_KIND = "alert.webhooks_silent"
# An event that has not come by then does not come.
EVENT_DELAY = timedelta(minutes=5)
ALERT_INTERVAL = timedelta(hours=1)
# What tells that the buyer has gone through the payment, in any setting of the endpoint.
NEWS = ("checkout.session.completed", "checkout.session.async_payment_succeeded", "payment_intent.succeeded")
CONFIRMED = (OrderStatus.PROCESSING, OrderStatus.PAID)
EVENT_CAME = Skip(gettext_noop("The event has come meanwhile."))
TOLD_BEFORE = Skip(gettext_noop("Another mail of the same hour says so."))


def ask_on_return(*, session: str, at: datetime) -> bool:
    """Ask Stripe about the order of this session, if it is time for a question. True: what is known here has changed.

    Not to be called inside a transaction. Nothing that goes wrong is raised: the buyer's page shows what is known.
    """
    attempt = CheckoutAttempt.objects.select_related("order").filter(session=session).first()
    if attempt is None or not _claim_question(attempt, at=at):
        return False
    with in_a_hurry():
        result = guarded(partial(_ask, attempt.order, at=at))
    if isinstance(result, Exception):
        log.warning("return.not_told", order=attempt.order_id, session=session, error=repr(result))
        return False
    if any(what == "status" and after in CONFIRMED for each in result for what, _before, after in each.changes):
        log.warning("return.confirmed_without_event", order=attempt.order_id, session=session)
        _expect_event(attempt, at=at)
    return any(each.changes for each in result)


@mails(ALERT_KIND)
def webhooks_are_silent(effect: Effect) -> Mail | Skip:
    """One an hour, however many orders were confirmed without an event; the log names each."""
    if effect.order is None:
        return SUBJECT_GONE
    # What a back-fill has taken in was not delivered.
    delivered = PaymentEvent.objects.filter(source=EventSource.WEBHOOK)
    if delivered.filter(order=effect.order, type__in=NEWS).exists():
        return EVENT_CAME
    log.error("webhooks.silent", order=effect.order_id, number=effect.order.number)
    lately = Effect.objects.filter(
        key__startswith=f"{ALERT_KIND}:", status=EffectStatus.DONE, delivered_at__gt=timezone.now() - ALERT_INTERVAL
    )
    if lately.exists():
        return TOLD_BEFORE
    last = delivered.order_by("-received_at").values_list("received_at", flat=True).first()
    context = {"order": effect.order, "confirmed_at": effect.created_at, "last_event_at": last}
    return to_staff(context, page=reverse("admin:payments_paymentevent_changelist"))


def _claim_question(attempt: CheckoutAttempt, *, at: datetime) -> bool:
    """Whether it is time for the next question, and nobody else asks it: pages are refreshed by many, and often."""
    asked, last = attempt.return_questions, attempt.return_asked_at
    if asked >= len(PATIENCE) or (last and at < last + timedelta(seconds=PATIENCE[asked])):
        return False
    own = CheckoutAttempt.objects.filter(pk=attempt.pk, return_questions=asked)
    return own.update(return_questions=asked + 1, return_asked_at=at) == 1


def _ask(order: Order, *, at: datetime) -> list[Resynced]:
    """The order, and the subscription that it has begun: of that only Stripe's answer tells whether it is paid."""
    options = ResyncOptions(at=at, by=SOURCE)
    done = [resync_order(order, options=options)]
    begun = order.subscriptions.filter(needs_resync=True).order_by("pk").values_list("stripe_id", flat=True)
    return done + [resync_subscription(name, options=options) for name in list(begun)]


@transaction.atomic
def _expect_event(attempt: CheckoutAttempt, *, at: datetime) -> None:
    """Staff are told later, unless the event has come by then."""
    key = f"{ALERT_KIND}:{attempt.order_id}:{attempt.number}"
    enqueue([EffectRequest(key, ALERT_KIND, attempt.order_id, not_before=at + EVENT_DELAY)], at=at)
