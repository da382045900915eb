"""What is here and has to do with a window: the other direction of the walk."""

from collections.abc import Collection, Iterable, Iterator

from django.conf import settings
from django.db.models import Q, QuerySet

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.operations.reconcile.judge import Subject
from payments.operations.reconcile.window import Window
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import AWAITING_PAYMENT, SUBSCRIPTION_ENDED, OrderStatus

MONEY = ((Payment, "key", "paid_at"), (Refund, "stripe_id", "status_at"), (Dispute, "stripe_id", "status_at"))
OPEN = (*AWAITING_PAYMENT, OrderStatus.PROCESSING)


def orders_of(window: Window) -> QuerySet[Order]:
    """The orders that were made, paid, refunded or disputed in the window, or wait; those of test mode stay apart."""
    touched = window.on("created_at") | window.on("paid_at") | Q(status__in=OPEN)
    for column in ("payments__paid_at", "refunds__status_at", "disputes__status_at", "checkouts__created_at"):
        touched |= Q(pk__in=Order.objects.filter(window.on(column)).values("pk"))
    return Order.objects.filter(touched, livemode=settings.STRIPE_LIVEMODE)


def subscriptions_of(window: Window) -> QuerySet[Subscription]:
    """The subscriptions that go on, and those that ended or whose money moved in the window."""
    touched = ~Q(status__in=SUBSCRIPTION_ENDED) | window.on("ended_at") | window.on("last_paid_at")
    for column in ("payments__paid_at", "refunds__status_at", "disputes__status_at"):
        touched |= Q(pk__in=Subscription.objects.filter(window.on(column)).values("pk"))
    return Subscription.objects.filter(touched)


def unseen(window: Window, *, seen: Collection[str], asked: Iterable[str]) -> Iterator[tuple[Subject, str]]:
    """What Stripe's lists did not contain although it belongs to the window, with the name that was not there.

    `asked`: names of which staff were asked before whether Stripe knows them.
    """
    wanted = list(asked)
    for model, key, moment in MONEY:
        rows = model._default_manager.filter(window.on(moment) | Q(**{f"{key}__in": wanted}))
        mine = rows.filter(Q(order=None) | Q(order__livemode=settings.STRIPE_LIVEMODE))
        for name, order_id, subscription in mine.values_list(key, "order_id", "subscription__stripe_id"):
            if name not in seen or name in wanted:
                yield Subject(order_id, subscription or ""), name
    attempts = CheckoutAttempt.objects.filter(window.on("created_at") | Q(order__status__in=OPEN)).exclude(session="")
    own = attempts.filter(order__livemode=settings.STRIPE_LIVEMODE)
    for session, order_id in own.values_list("session", "order_id"):
        if session not in seen:
            yield Subject(order_id), session
    for name, needs_resync in subscriptions_of(window).values_list("stripe_id", "needs_resync"):
        if name not in seen or needs_resync or name in wanted:
            yield Subject(subscription=name), name


def unexplained(window: Window, *, paid: Collection[tuple[str, object, object]]) -> Iterator[Subject]:
    """Subscriptions that call an invoice of the window the last one paid which is not (`paid`: those that are)."""
    rows = Subscription.objects.filter(window.on("last_paid_at"))
    for told in rows.values_list("stripe_id", "last_paid_at", "paid_until"):
        if told not in paid:
            yield Subject(subscription=told[0])
