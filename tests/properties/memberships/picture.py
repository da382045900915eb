"""What we know once everything was heard."""

from typing import Any

from django.db.models import QuerySet, Sum

from payments.billing.models import Customer, Dispute, Payment, Plan, Refund, Subscription
from payments.effects.models import Effect
from payments.orders.models import Order, OrderException
from tests.properties.memberships.story import Ending

APPEALS = ("payment_failed", "action_required", "trial_will_end")
EVERYTHING = (
    (Customer, ("stripe_id", "email", "name", "city", "country", "stripe_updated_at", "deleted_at")),
    (
        Subscription,
        (
            "stripe_id", "customer__stripe_id", "order", "plan", "status", "stripe_updated_at", "fingerprint",
            "has_conflict", "price", "prices", "further_plans", "plan_slug", "plan_told_at", "amount", "quantity",
            "period_start", "period_end", "trial_end", "cancel_at", "ended_at", "pause", "paid_until",
            "covered_until", "unpaid_since", "money_back", "needs_resync",
        ),
    ),
    (
        Payment,
        (
            "key", "order", "subscription__stripe_id", "currency", "received", "refunded", "paid_at", "charge",
            "off_stripe", "period_start", "period_end",
        ),
    ),
    (Refund, ("stripe_id", "subscription__stripe_id", "payment", "amount", "status", "status_at")),
    (Dispute, ("stripe_id", "subscription__stripe_id", "payment", "status", "status_at")),
    (Order, ("public_id", "status", "paid_at", "amount_received", "city", "country")),
)  # fmt: skip


def everything() -> list[Any]:
    """All that must not depend on what was heard when."""
    known = [sorted(model._default_manager.values_list(*columns), key=str) for model, columns in EVERYTHING]
    return [*known, sorted(_open_questions().values_list("kind", "subject", "detail", "values__received__amount"))]


def picture() -> list[Ending]:
    """Each subscription as a story's end tells of it, the earliest first."""
    rows = Subscription.objects.select_related("plan", "order", "customer").order_by("started_at", "amount")
    return [_ending(row) for row in rows]


def other_orders() -> tuple[str, ...]:
    """How the orders ended that have begun no subscription."""
    return tuple(sorted(Order.objects.filter(subscriptions=None).values_list("status", flat=True)))


def _ending(row: Subscription) -> Ending:
    payments = Payment.objects.filter(subscription=row)
    return {
        "status": row.status,
        "plan": row.plan.slug if row.plan else None,
        "costs": (row.amount, row.currency, row.interval),
        "ends": row.cancel_at is not None,
        "payments": list(payments.order_by("paid_at", "key").values_list("received", "refunded")),
        "elsewhere": payments.aggregate(sum=Sum("off_stripe", default=0))["sum"],
        "refunds": sorted(Refund.objects.filter(subscription=row).values_list("amount", "status")),
        "disputes": sorted(Dispute.objects.filter(subscription=row).values_list("amount", "status")),
        "back": row.money_back,
        "asks": _asks(row),
        "questions": sorted(_open_questions().filter(subscription=row).values_list("kind", flat=True)),
        "pause": row.pause,
        "is_covered": row.covered_until is not None and row.covered_until == row.period_end,
        "further": sorted(Plan.objects.filter(pk__in=row.further_plans).values_list("slug", flat=True)),
        "order": row.order.status if row.order else None,
        "needs_resync": row.needs_resync,
        "who": _who(row.customer),
    }


def _open_questions() -> QuerySet[OrderException]:
    """What was asked for a while only, because news came late, is no end."""
    return OrderException.objects.filter(is_open=True)


def _asks(row: Subscription) -> list[str]:
    """The kinds of messages that are noted for it, each once for each invoice or subscription."""
    kinds = [f"subscription.{word}" for word in APPEALS]
    noted = Effect.objects.filter(kind__in=kinds, data__subscription=row.stripe_id)
    return sorted(kind.removeprefix("subscription.") for kind in noted.values_list("kind", flat=True))


def _who(customer: Customer | None) -> tuple[str, str, str, bool] | None:
    """Who it is, where they live, and whether Stripe has deleted them."""
    return (customer.email, customer.name, customer.city, customer.deleted_at is not None) if customer else None
