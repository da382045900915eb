"""How facts become a subscription's and a customer's state: in any order of arrival the same.

docs/adr/0009-subscriptions.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import datetime
from hashlib import sha256
from typing import Any

from payments.billing.models import Customer, Plan, Subscription
from payments.facts import CustomerFact, InvoiceFact, SubscriptionFact, Terms
from payments.statuses import SUBSCRIPTION_ENDED, SUBSCRIPTION_ORDER

SUBSCRIPTION_FIELDS = (
    "status", "started_at", "period_start", "period_end", "trial_end", "cancel_at", "canceled_at", "ended_at", "pause",
    "resumes_at", "days_until_due",
)  # fmt: skip
ITEM_FIELDS = ("price", "interval", "interval_count", "quantity")
TERMS_FIELDS = (*ITEM_FIELDS, "amount", "currency")
PERIOD_FIELDS = ("period_start", "period_end")

# Ended, second, told later than its birth, rank, content.
Key = tuple[bool, int, bool, int, str]


def seconds(moment: datetime | None) -> int:
    """Whole seconds, as Stripe counts them; never is before everything."""
    return int(moment.timestamp()) if moment else 0


def values_told(fact: SubscriptionFact, plans: Iterable[Plan]) -> dict[str, Any]:
    """What the fact says, column by column. Period, price and quantity are those of the items that are plans of ours:
    a plan may stand beside add-ons. What is not told at all is left out: it is not thereby gone.
    """
    told = {name: getattr(fact, name) for name in SUBSCRIPTION_FIELDS}
    if fact.terms != Terms():
        told |= {name: getattr(fact.terms, name) for name in TERMS_FIELDS} | {"prices": list(fact.prices)}
    ours = {price for plan in plans for price in plan.all_prices}
    # What is had no times opens nothing; it names the plan only where nothing else does.
    own = sorted((item for item in fact.terms.items if item.price in ours), key=lambda item: item.quantity == 0)
    if own:
        told |= {name: getattr(own[0], name) for name in ITEM_FIELDS}
        told["prices"] = [item.price for item in (*own, *fact.terms.items) if item.quantity] or [own[0].price]
        starts, ends = [item.period_start for item in own], [item.period_end for item in own]
        told["period_start"] = min(filter(None, starts), default=fact.period_start)
        told["period_end"] = max(filter(None, ends), default=fact.period_end)
    return {name: value for name, value in told.items() if value is not None or name not in PERIOD_FIELDS}


def fold_subscription(row: Subscription, fact: SubscriptionFact, plans: Sequence[Plan] = ()) -> bool:
    """Take the whole of the fact if it is the greater: ended, then the second, then the rank. True if it was.

    Two that differ within one second contradict each other: which was the later one, only Stripe knows.
    """
    known, told = _key_of_row(row), _key_of_fact(fact)
    contradicts = row.stripe_updated_at is not None and known[:3] == told[:3] and known != told
    if told <= known:
        row.has_conflict = row.has_conflict or contradicts
        return False
    row.has_conflict = contradicts
    row.stripe_updated_at, row.from_created_event, row.fingerprint = fact.occurred_at, fact.from_created_event, told[-1]
    for name, value in values_told(fact, plans).items():
        setattr(row, name, value)
    return True


def _key_of_row(row: Subscription) -> Key:
    rank = SUBSCRIPTION_ORDER.get(row.status, 0)
    return (
        row.status in SUBSCRIPTION_ENDED,
        seconds(row.stripe_updated_at),
        not row.from_created_event,
        rank,
        row.fingerprint,
    )


def _key_of_fact(fact: SubscriptionFact) -> Key:
    content = (astuple(fact.terms), fact.plan, *(getattr(fact, name) for name in SUBSCRIPTION_FIELDS))
    fingerprint, rank = sha256(repr(content).encode()).hexdigest(), SUBSCRIPTION_ORDER.get(fact.status, 0)
    return fact.status in SUBSCRIPTION_ENDED, seconds(fact.occurred_at), not fact.from_created_event, rank, fingerprint


def fold_paid_invoice(row: Subscription, fact: InvoiceFact) -> None:
    """Until when the subscription is paid, by the invoice that was paid last."""
    if fact.paid_at is None or fact.period_end is None:
        return
    known = (seconds(row.last_paid_at), seconds(row.paid_until))
    if (seconds(fact.paid_at), seconds(fact.period_end)) > known:
        row.last_paid_at, row.paid_until = fact.paid_at, fact.period_end


def needs_resync(row: Subscription) -> bool:
    """Whether what we were told leaves out something that only Stripe can tell."""
    if row.has_ended:
        return False
    return row.stripe_updated_at is None or row.has_conflict or _is_behind(row)


def _is_behind(row: Subscription) -> bool:
    """A period was paid that the subscription has not told of yet."""
    if row.paid_until is None or seconds(row.last_paid_at) <= seconds(row.stripe_updated_at):
        return False
    return row.period_end is None or row.paid_until > row.period_end


def fold_customer(row: Customer, fact: CustomerFact) -> None:
    """Name and address each as they were told last; who was deleted stays so."""
    if fact.is_deleted:
        row.deleted_at = min(row.deleted_at or fact.occurred_at, fact.occurred_at)
        return
    known = (seconds(row.stripe_updated_at), row.email, row.name)
    if (fact.email or fact.name) and (seconds(fact.occurred_at), fact.email, fact.name) > known:
        row.stripe_updated_at, row.email, row.name = fact.occurred_at, fact.email, fact.name
    lives = (seconds(row.located_at), row.country, row.city)
    if (fact.city or fact.country) and (seconds(fact.occurred_at), fact.country, fact.city) > lives:
        row.located_at, row.country, row.city = fact.occurred_at, fact.country, fact.city


def fold_plan(row: Subscription, fact: SubscriptionFact, plans: Sequence[Plan]) -> None:
    """Which plan was named last, by a price or by its slug: prices change, and metadata may be missing later."""
    slugs = [plan.slug for plan in _with_prices(fact.prices, plans)] + [
        plan.slug for plan in plans if plan.slug == fact.plan
    ]
    if slugs and (seconds(fact.occurred_at), slugs[0]) > (seconds(row.plan_told_at), row.plan_slug):
        row.plan_told_at, row.plan_slug = fact.occurred_at, slugs[0]


def plans_of(row: Subscription, plans: Sequence[Plan], *, order_plan: int | None = None) -> list[Plan]:
    """All plans of ours that it holds, by the prices of its items, which belong or once belonged to them.

    Where none does, the one that was named last, else the one of the order that began it, else the one that was known.
    """
    if held := _with_prices(row.prices or [row.price], plans):
        return held
    named = [plan for plan in plans if row.plan_slug and plan.slug == row.plan_slug]
    return named or [plan for plan in plans if plan.pk and plan.pk == (order_plan or row.plan_id)]


def _with_prices(prices: Iterable[str], plans: Sequence[Plan]) -> list[Plan]:
    found = {plan.slug: plan for price in prices if price for plan in plans if price in plan.all_prices}
    return list(found.values())
