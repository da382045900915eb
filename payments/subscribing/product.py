"""Plans are sold: a Checkout that begins a subscription is an order of kind "plan" (docs/adr/0009-subscriptions.md).

What has just become of a subscription is told to its subscriber (the texts: payments/billing/mails.py): asked for in
the transaction that learns it, each once by its key. What lies days back is no news: a replay, a back-fill or a
subscription that moves in tells nobody of it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.hooks import Ending, Section
from accounts.models import User
from payments.billing.models import Customer, Payment, Subscription
from payments.effects.enqueue import EffectRequest, enqueue
from payments.orders.models import Order, OrderChange
from payments.products import FollowResult, Product, register
from payments.statuses import PLAN, SUBSCRIPTION_NOT_BEGUN, SUBSCRIPTION_PAYING
from payments.stripe_api.checkout_params import Recurring
from payments.subscribing.account import subscription_section
from payments.subscribing.ending import ask_about_closed_accounts, billed_on, end_request
from payments.subscribing.person import tell_stripe_who

NEWS_LAST = timedelta(days=7)
# Its first payment belongs to its beginning, which one mail tells.
BEGINNING = timedelta(days=1)
# What the history calls what is compared with what was known before.
COMPARED, PAID = ("status", "plan", "cancel_at"), "paid "
Before = Mapping[tuple[int, str], str]


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

    def follow_subscriptions(self, subscriptions: Sequence[Subscription], *, at: datetime) -> FollowResult:
        """Nothing rests on them here; their people are told what is new."""
        return FollowResult(effects=news_of(subscriptions, at=at))

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


def news_of(rows: Sequence[Subscription], *, at: datetime) -> list[EffectRequest]:
    """The mails for these subscriptions, which are locked and written. Two queries.

    News is what the history does not know yet: this transaction writes its own changes down after this.
    """
    told = [row for row in rows if row.customer_id and row.plan_id and row.stripe_updated_at and not row.has_ended]
    if not told:
        return []
    ids = [row.pk for row in told]
    before, payments = _known_before(ids), _new_payments(ids, at=at)
    found = [request for row in told for request in _of_one(row, before, at=at)]
    return [*found, *(request for row in told for request in _of_payments(row, payments, before))]


def _of_one(row: Subscription, before: Before, *, at: datetime) -> Iterator[EffectRequest]:
    is_news, was_ending = _is_news(row.stripe_updated_at, at=at), before.get((row.pk, "cancel_at"))
    is_new = before.get((row.pk, "status"), "") in ("", *SUBSCRIPTION_NOT_BEGUN)
    if is_new and row.status in SUBSCRIPTION_PAYING and _is_news(row.started_at, at=at):
        yield _request("begun", row, row.stripe_id)
    if row.cancel_at and not was_ending and _is_news(row.canceled_at, at=at):
        yield _request("canceled", row, _at(row, row.canceled_at))
    if is_news and was_ending and row.cancel_at is None:
        yield _request("resumed", row, _at(row, row.stripe_updated_at))
    plan, former = row.plan.slug if row.plan else "", before.get((row.pk, "plan"))
    if is_news and former and former != plan:
        yield _request("changed", row, f"{_at(row, row.stripe_updated_at)}:{plan}", former=former, plan=plan)


def _of_payments(row: Subscription, payments: Sequence[Payment], before: Before) -> Iterator[EffectRequest]:
    for payment in payments:
        is_known = before.get((row.pk, f"{PAID}{payment.key}"[:40]), "0") != "0"
        if payment.subscription_id == row.pk and not is_known and not _belongs_to_beginning(payment, row):
            yield _request("paid", row, payment.key, payment=payment.key)


def _belongs_to_beginning(payment: Payment, row: Subscription) -> bool:
    if row.started_at is None or payment.paid_at is None or payment.paid_at >= row.started_at + BEGINNING:
        return False
    others = Payment.objects.filter(subscription=row, received__gt=0)
    return not others.filter(Q(paid_at__lt=payment.paid_at) | Q(paid_at=payment.paid_at, pk__lt=payment.pk)).exists()


def _known_before(ids: Collection[int]) -> Before:
    """By subscription and field, as the history tells it."""
    named = Q(field__in=COMPARED) | Q(field__startswith=PAID)
    rows = OrderChange.objects.filter(named, subscription__in=ids).order_by("pk")
    return {(row, field): after for row, field, after in rows.values_list("subscription", "field", "after") if row}


def _new_payments(ids: Collection[int], *, at: datetime) -> list[Payment]:
    rows = Payment.objects.filter(subscription__in=ids, received__gt=0, paid_at__gt=at - NEWS_LAST)
    return list(rows.order_by("paid_at", "pk"))


def _is_news(moment: datetime | None, *, at: datetime) -> bool:
    return moment is not None and moment > at - NEWS_LAST


def _at(row: Subscription, moment: datetime | None) -> str:
    return f"{row.stripe_id}:{int(moment.timestamp()) if moment else 0}"


def _request(what: str, row: Subscription, subject: str, **data: str) -> EffectRequest:
    kind = f"subscription.{what}"
    return EffectRequest(
        f"{kind}:{subject}", kind, row.order_id, {"subscription": row.stripe_id, **data}, subscription_id=row.pk
    )


register(PlanProduct())
