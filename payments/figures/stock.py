"""What there is at this moment: people, who of them is premium, and subscriptions with what they bring in a month."""

from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, Sum

from accounts.models import User
from payments.billing.models import Subscription
from payments.billing.subscribers import count_premium
from payments.statuses import SUBSCRIPTION_OVERDUE, SUBSCRIPTION_PAYING, SubscriptionStatus

# How often an interval fits into a month; a year has twelve months, 52 weeks, 365 days.
TIMES_A_MONTH = {"day": Fraction(365, 12), "week": Fraction(52, 12), "month": Fraction(1), "year": Fraction(1, 12)}
PAUSED = ExpressionWrapper(~Q(pause=""), output_field=BooleanField())


def count_stock(*, at: datetime) -> dict[str, Any]:
    """As JSON keeps it: `users`, `premium`, and `subscriptions` as of `subscriptions_by_plan`."""
    users = User.objects.filter(is_active=True).count()
    return {"users": users, "premium": count_premium(at=at), "subscriptions": subscriptions_by_plan()}


def subscriptions_by_plan() -> list[dict[str, Any]]:
    """For each plan and currency (`plan` "": none of ours) how many are active, on trial, overdue, or not collected.

    `mrr`: what the active ones bring in a month, in minor units; `trial_mrr`: what those on trial would bring.
    """
    rows = Subscription.objects.filter(status__in=[*SUBSCRIPTION_PAYING, *SUBSCRIPTION_OVERDUE]).order_by()
    grouped = rows.values(
        "plan_id", "plan__slug", "plan__name", "currency", "interval", "interval_count", "status", paused=PAUSED
    )
    found: dict[tuple[str, str], dict[str, Any]] = {}
    monthly: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for row in grouped.annotate(count=Count("pk"), total=Sum("amount")):
        key = (row["plan__slug"] or "", row["currency"])
        line = found.setdefault(key, _line(*key, name=row["plan__name"] or "", plan_id=row["plan_id"]))
        state = "paused" if row["paused"] else STATES[row["status"]]
        line[state] += row["count"]
        if state in ("active", "trialing"):
            a_month = TIMES_A_MONTH.get(row["interval"], Fraction(0)) / max(1, row["interval_count"])
            monthly[*key, state] += row["total"] * a_month
    for key, line in found.items():
        line["mrr"], line["trial_mrr"] = _rounded(monthly[*key, "active"]), _rounded(monthly[*key, "trialing"])
    return [found[key] for key in sorted(found)]


STATES: dict[str, str] = {
    SubscriptionStatus.ACTIVE: "active",
    SubscriptionStatus.TRIALING: "trialing",
    SubscriptionStatus.PAST_DUE: "overdue",
    SubscriptionStatus.UNPAID: "overdue",
}


def _line(plan: str, currency: str, *, name: str, plan_id: int | None) -> dict[str, Any]:
    counts = dict.fromkeys(("active", "trialing", "overdue", "paused"), 0)
    return {"plan": plan, "plan_id": plan_id, "name": name, "currency": currency, **counts}


def _rounded(amount: Fraction) -> int:
    return int((Decimal(amount.numerator) / amount.denominator).quantize(Decimal(1), ROUND_HALF_UP))
