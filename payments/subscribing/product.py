"""Plans are sold: a Checkout that begins a subscription is an order of kind "plan" (docs/adr/0009-subscriptions.md)."""

from collections.abc import Collection
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.hooks import Ending, Section
from accounts.models import User
from payments.billing.models import Customer
from payments.effects.enqueue import enqueue
from payments.orders.models import Order
from payments.products import Product, register
from payments.statuses import PLAN
from payments.stripe_api.checkout_params import Recurring
from payments.subscribing.account import subscription_section
from payments.subscribing.ending import ask_about_closed_accounts, billed_on, end_request
from payments.subscribing.person import tell_stripe_who


class PlanProduct(Product):
    """Nothing is held and nothing follows the order: once the subscription has begun, only that counts."""

    kind = PLAN
    label = _("Subscriptions")
    price_screen = "payments.plan"

    def recurring_of(self, order: Order) -> Recurring | None:
        plan = order.plan
        if plan is None:
            return None
        customer = Customer.objects.living_of(order.user_id).first() if order.user_id else None
        return Recurring(
            plan=plan.slug, customer=customer.stripe_id if customer else "", price=plan.stripe_price,
            interval=plan.interval,
        )  # fmt: skip

    def price_name(self, order: Order) -> str:
        return f"{PLAN}:{order.plan.slug if order.plan else order.label}"

    def page_of(self, order: Order) -> str:
        return reverse("subscription")

    def guests(self, addresses: Collection[str]) -> Collection[str]:
        lonely = Customer.objects.filter(email__in=addresses, user__isnull=True)
        return set(lonely.values_list("email", flat=True))

    def join_account(self, user: User, *, at: datetime) -> None:
        """Customers with the person's address become theirs."""
        Customer.objects.filter(email=user.email, user__isnull=True).update(user=user)

    def follow_account(self, user: User, *, at: datetime) -> None:
        tell_stripe_who(user, at=at)
        ask_about_closed_accounts(at=at)

    def billed_to(self, user: User) -> list[str]:
        return [f"{row.plan or row.stripe_id} ({row.price_text})" for row in billed_on(user)]

    def end_billing(self, user: User, ending: Ending, *, by: str, at: datetime) -> None:
        if ending != Ending.LEAVE:
            enqueue([end_request(row, ending, by=by, at=at) for row in billed_on(user)], at=at)

    def account_section(self, user: User, *, at: datetime) -> Section:
        return subscription_section(user)


register(PlanProduct())
