"""Who subscribes to what: premium access, the accounts of customers, and what may become of a plan.

Premium is not stored: it is worked out from the subscription, with a grace where news or money is late (mission D4).
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, F, Func, OuterRef, Q, Subquery, Value

from accounts.models import User
from payments.billing.models import Customer, Plan, Subscription
from payments.statuses import SUBSCRIPTION_PAYING, SubscriptionStatus


def has_premium(user: User, *, at: datetime) -> bool:
    """Whether one of the person's subscriptions gives access at this moment."""
    return any(gives_access(row, at=at) for row in subscriptions_of(user))


def count_premium(*, at: datetime) -> int:
    """How many people have premium access at this moment. Who certainly has it is counted by the database."""
    rows = Subscription.objects.live().filter(customer__user__is_active=True, plan__isnull=False)
    runs_on = Q(cancel_at__isnull=True) | Q(cancel_at__gt=at)
    certain = rows.filter(
        runs_on, status__in=SUBSCRIPTION_PAYING, period_end__gt=at, quantity__gt=0, pause="", money_back=""
    )
    doubtful = rows.exclude(pk__in=certain.values("pk")).select_related("customer")
    people = {row.customer.user_id for row in doubtful.iterator() if row.customer and gives_access(row, at=at)}
    people -= (
        set(certain.filter(customer__user__in=people).values_list("customer__user", flat=True)) if people else set()
    )
    return len(people) + certain.values("customer__user").distinct().count()


def subscriptions_of(user: User) -> list[Subscription]:
    """Those that have begun and have not ended, the newest first."""
    rows = Subscription.objects.live().filter(customer__user=user, plan__isnull=False)
    return list(rows.select_related("plan", "customer").order_by("-started_at", "-pk"))


def gives_access(row: Subscription, *, at: datetime) -> bool:
    """Whether this subscription gives access at this moment."""
    until = access_until(row)
    return until is not None and at < until


def access_until(row: Subscription) -> datetime | None:
    """Until when it gives access as far as we know now; None: it gives none.

    While it lives, what is paid and was not given back stays open to its end; a planned end ends it on its day, and
    what has ended gives none (mission E8). Beyond that its state decides. Where all the money of the period went back,
    nothing is open.
    """
    if row.has_ended or row.money_back or row.period_end is None:
        return None
    until = max(filter(None, (row.covered_until, _until_by_state(row))), default=None)
    return min(until, row.cancel_at) if until and row.cancel_at else until


def told_until(row: Subscription) -> datetime | None:
    """Until when its person is told that it gives access: our days of grace for late news are no promise."""
    until = access_until(row)
    if until and row.period_end and row.status in SUBSCRIPTION_PAYING:
        return min(until, row.period_end)
    return until


def is_renewed(row: Subscription) -> bool:
    """Whether its period is followed by another one, as it stands."""
    return row.status in SUBSCRIPTION_PAYING and not (row.cancel_at or row.pause or row.money_back)


def _until_by_state(row: Subscription) -> datetime | None:
    """Active or on trial: to the end of the period and SUBSCRIPTION_GRACE_DAYS longer, because a renewal is told late;
    while nothing is collected to the end of what is settled. Overdue: PAST_DUE_GRACE_DAYS from the day it was due.
    """
    if row.quantity == 0 or row.period_end is None:
        return None
    if row.status == SubscriptionStatus.PAST_DUE:
        due_at = row.unpaid_since or row.period_start
        return due_at + timedelta(days=settings.PAST_DUE_GRACE_DAYS) if due_at else None
    if row.status not in SUBSCRIPTION_PAYING:
        return None
    if row.pause and row.amount:
        return row.trial_end if row.status == SubscriptionStatus.TRIALING else row.paid_until
    return row.period_end + timedelta(days=settings.SUBSCRIPTION_GRACE_DAYS)


def keep_former_price(plan: Plan, *, former: str) -> None:
    """Remember the price that it had (`former`, "" for none), in memory: who subscribed with it keeps it.

    A price that comes back is no former one any more; one of the settings stays, because nobody says when it goes.
    """
    known = [price for price in dict.fromkeys([*plan.former_prices, former]) if price]
    plan.former_prices = [price for price in known if price != plan.price]


def remember_price(plan: Plan) -> None:
    """Keep the price of the settings with which somebody subscribes: another one there must not make theirs unknown."""
    price = plan.stripe_price
    if price == plan.price or price in plan.former_prices:
        return
    appended = Func(F("former_prices"), Value(price, CharField()), function="array_append")
    Plan.objects.filter(pk=plan.pk).exclude(former_prices__contains=[price]).update(former_prices=appended)
    plan.former_prices = [*plan.former_prices, price]


def plan_with_price(price: str, *, exclude: Plan) -> Plan | None:
    """Another plan to which the price belongs or once belonged: subscriptions with it are that plan's."""
    others = Plan.objects.exclude(pk=exclude.pk)
    return next((plan for plan in others if price in plan.all_prices), None)


def is_used(plan: Plan) -> bool:
    """Whether somebody has subscribed to it, or began to."""
    return plan.subscriptions.exists() or plan.orders.exists()


def join_confirmed(customer_ids: Collection[int]) -> None:
    """The other way round: these customers, whose address was told just now, find the account that it belongs to."""
    if not customer_ids:
        return
    confirmed = User.objects.filter(email=OuterRef("email"), email_confirmed_at__isnull=False, is_active=True)
    lonely = Customer.objects.filter(pk__in=customer_ids, user__isnull=True).exclude(email="")
    lonely.update(user=Subquery(confirmed.values("pk")[:1]))
