"""Sells plans: a Checkout that begins a subscription is an order of kind "plan" (docs/adr/0009-subscriptions.md)."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse

from payments.billing.models import Customer
from payments.orders.models import Order
from payments.products import FollowResult, purchasable
from payments.statuses import PLAN
from payments.stripe_api.checkout_params import Recurring


@purchasable(PLAN)
class PlanPurchase:
    """Nothing is held and nothing follows: once the subscription has begun, only that counts."""

    def follow(self, orders: Sequence[Order], *, at: datetime) -> FollowResult:
        return FollowResult()

    def hold(self, order: Order, *, until: datetime) -> None:
        return

    def language_of(self, order: Order) -> str:
        return order.user.language if order.user else ""

    def page_of(self, order: Order) -> str:
        return reverse("subscription")


def recurring_of(order: Order) -> Recurring | None:
    """What its Checkout is told of the subscription; None for what is paid once."""
    plan = order.plan
    if plan is None:
        return None
    customer = living_customers(order.user_id).first() if order.user_id else None
    return Recurring(
        plan=plan.slug, customer=customer.stripe_id if customer else "", price=plan.stripe_price, interval=plan.interval
    )


def living_customers(user_id: int) -> QuerySet[Customer]:
    """Who the person is at Stripe: one, unless some were imported. The oldest first; what is deleted there is gone."""
    return Customer.objects.filter(user=user_id, deleted_at__isnull=True).order_by("pk")
