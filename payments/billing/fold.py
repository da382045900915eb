"""How facts become a subscription's and a customer's state: in any order of arrival the same.

docs/adr/0009-subscriptions.md
"""

from collections.abc import Iterable
from dataclasses import astuple
from datetime import datetime
from hashlib import sha256

from payments.billing.models import Customer, Plan, Subscription
from payments.facts import CustomerFact, InvoiceFact, SubscriptionFact
from payments.statuses import SUBSCRIPTION_ENDED, SUBSCRIPTION_ORDER

SUBSCRIPTION_FIELDS = (
    "status", "started_at", "period_start", "period_end", "trial_end", "cancel_at", "canceled_at", "ended_at",
)  # fmt: skip
TERMS_FIELDS = ("price", "amount", "currency", "interval", "interval_count", "quantity")

# Ended, second, told later than its birth, rank, content.
Key = tuple[bool, int, bool, int, str]


def seconds(moment: datetime | None) -> int:
    """Whole seconds, as Stripe counts them; never is before everything."""
    return int(moment.timestamp()) if moment else 0


def fold_subscription(row: Subscription, fact: SubscriptionFact) -> bool:
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
    for name in SUBSCRIPTION_FIELDS:
        setattr(row, name, getattr(fact, name))
    for name in TERMS_FIELDS:
        setattr(row, name, getattr(fact.terms, name))
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


def plan_of(row: Subscription, plans: Iterable[Plan], *, slug: str = "") -> Plan | None:
    """The plan that the price belongs to or once belonged to; else the one that was named when it began."""
    known = list(plans)
    for plan in known:
        if row.price and row.price in (plan.stripe_price, *plan.former_prices):
            return plan
    return next((plan for plan in known if slug and plan.slug == slug), None)
