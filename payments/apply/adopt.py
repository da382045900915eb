"""Gives subscriptions and customers a row when they are named for the first time, if they are ours.

Ours is what our metadata says, what has one of our prices, whose customer we know, or what our order has begun: other
products may share the Stripe account (docs/adr/0009-subscriptions.md).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from payments.billing.subscriptions import Customer, Plan, Subscription
from payments.facts import BeganFact, CustomerFact, Fact, InvoiceFact, LinkFact, SubscriptionFact, SubscriptionSide
from payments.orders.references import Reference


@dataclass(slots=True)
class Adopted:
    """What a batch needs beside the rows it locks. `customers` by their Stripe id; `taught`: names that are new."""

    customers: dict[str, Customer] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    taught: set[str] = field(default_factory=set)


def adopt(facts: Sequence[Fact]) -> Adopted:
    """Make the rows and references that these facts ask for. In the caller's transaction; safe with many at once."""
    named = [fact for fact in facts if isinstance(fact, SubscriptionSide) and not isinstance(fact, LinkFact)]
    adopted = Adopted()
    if not named and not any(isinstance(fact, CustomerFact) for fact in facts):
        return adopted
    adopted.plans = list(Plan.objects.all())
    adopted.customers = _customers({fact.about.customer for fact in facts if fact.about.customer})
    ours = _ours(named, adopted)
    adopted.taught |= _make_customers(ours, adopted)
    adopted.taught |= _make_subscriptions({fact.about.subscription for fact in ours if fact.about.subscription})
    return adopted


def find_ours(facts: Iterable[Fact]) -> set[str]:
    """The subscriptions among these that are ours, known or not; nothing is made."""
    named = [fact for fact in facts if isinstance(fact, SubscriptionSide)]
    adopted = Adopted(_customers({fact.about.customer for fact in named}), list(Plan.objects.all()))
    return {fact.about.subscription for fact in _ours(named, adopted)}


def _ours(named: Iterable[SubscriptionSide], adopted: Adopted) -> list[SubscriptionSide]:
    """Those about subscriptions that are known, or of which one of these facts says that they are ours."""
    facts = list(named)
    ids = {fact.about.subscription for fact in facts}
    ours = set(Subscription.objects.filter(stripe_id__in=ids).values_list("stripe_id", flat=True))
    prices = {price for plan in adopted.plans for price in (plan.stripe_price, *plan.former_prices) if price}
    ours |= {fact.about.subscription for fact in facts if _is_ours(fact, prices, adopted.customers)}
    ours |= _begun_here(facts)
    return [fact for fact in facts if fact.about.subscription in ours]


def _is_ours(fact: SubscriptionSide, prices: Collection[str], customers: Collection[str]) -> bool:
    about = fact.about
    if about.site:
        return about.site == settings.SITE_NAME
    price = fact.price if isinstance(fact, SubscriptionFact | InvoiceFact) else ""
    return price in prices or about.customer in customers


def _begun_here(facts: Iterable[SubscriptionSide]) -> set[str]:
    """What orders of ours began in a Checkout that names no site: nobody but us knows the public id of an order."""
    began = [fact for fact in facts if isinstance(fact, BeganFact | SubscriptionFact) and fact.order]
    nameless = [(f"order:{fact.order}", fact.about.subscription) for fact in began if not fact.about.site]
    if not nameless:
        return set()
    orders = Reference.objects.filter(name__in={name for name, _ in nameless}, order__isnull=False)
    known = set(orders.values_list("name", flat=True))
    return {subscription for name, subscription in nameless if name in known}


def _customers(names: Collection[str]) -> dict[str, Customer]:
    return {row.stripe_id: row for row in Customer.objects.filter(stripe_id__in=names)}


def _make_customers(ours: Iterable[SubscriptionSide], adopted: Adopted) -> set[str]:
    wanted = {fact.about.customer for fact in ours if fact.about.customer}
    names = sorted(wanted - _referred(wanted))
    if not names:
        return set()
    Customer.objects.bulk_create([Customer(stripe_id=name) for name in names], ignore_conflicts=True)
    fresh = _customers(names)
    adopted.customers |= fresh
    _refer([Reference(name=name, customer=row) for name, row in fresh.items()])
    return set(names)


def _make_subscriptions(ids: Collection[str]) -> set[str]:
    names = sorted(set(ids) - _referred(ids))
    if not names:
        return set()
    rows = [Subscription(stripe_id=name, is_doubtful=True) for name in names]
    Subscription.objects.bulk_create(rows, ignore_conflicts=True)
    made = Subscription.objects.filter(stripe_id__in=names)
    _refer([Reference(name=row.stripe_id, subscription=row) for row in made])
    return set(names)


def _referred(names: Collection[str]) -> set[str]:
    """Those under which events find something already."""
    return set(Reference.objects.filter(name__in=names).values_list("name", flat=True)) if names else set()


def _refer(rows: list[Reference]) -> None:
    Reference.objects.bulk_create(rows, ignore_conflicts=True)
