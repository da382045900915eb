"""What the facts of a batch are about: names looked up at once, and rows for what is named for the first time.

What we know by its own id is ours, whatever its metadata say of the site; the site's name decides only about what we do
not know. A new subscription is ours if our order began it, if it names our site, or if it names none and has one of our
prices or somebody whom we know: other products may share the Stripe account (docs/adr/0009-subscriptions.md).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings

from payments.billing.models import Customer, Plan, Subscription
from payments.billing.subscribers import remember_price
from payments.facts import (
    CustomerFact,
    Fact,
    InvoiceFact,
    InvoicePaymentFact,
    ObjectRefs,
    SubscriptionFact,
    SubscriptionSide,
    SubscriptionStartedFact,
    canonical_uuid,
)
from payments.names import ORDER, REGISTRATION
from payments.orders.models import Reference
from payments.sql import insert_rows, prepared

LOOK_UP = """
    SELECT name, order_id, subscription_id, customer_id, attempt, payment FROM payments_reference WHERE name = ANY(%s)
"""


class UnknownOrder(LookupError):
    """The event names one of our ids, but nothing is there (yet)."""


def is_foreign(refs: ObjectRefs) -> bool:
    """Whether it names another site than ours; that says nothing of what we know."""
    return refs.site not in ("", settings.SITE_NAME)


@dataclass(frozen=True, slots=True)
class Match:
    """What a name stands for: an order, a subscription or a customer. `payment`: the payment that it belongs to,
    where that has another name: the PaymentIntent of a charge, the invoice of either.
    """

    order_id: int | None = None
    subscription_id: int | None = None
    customer_id: int | None = None
    attempt: int | None = None
    payment: str = ""


@dataclass(slots=True)
class ReferenceMap:
    """Every name that a batch mentions and we know; `new_references`: those that the batch itself brought."""

    known: dict[str, Match] = field(default_factory=dict)
    new_references: set[str] = field(default_factory=set)

    def find(self, refs: ObjectRefs) -> Match | None:
        """What the first known of its names stands for (see ObjectRefs.names).

        Sites that took over the same old system have its ids in common: where another site names an order of its
        own, the registration is its own too.
        """
        names = [name for name in refs.names() if name in self.known]
        if is_foreign(refs) and canonical_uuid(refs.order) and f"{ORDER}{refs.order}" not in names:
            names = [name for name in names if not name.startswith(REGISTRATION)]
        return self.known[names[0]] if names else None

    def learn(self, refs: ObjectRefs, match: Match) -> bool:
        """Take every Stripe id that comes with a known name; True if one of them was new."""
        if match.customer_id is not None:
            return False
        attempt = refs.attempt or match.attempt
        fresh = [name for name in refs.stripe_references() if name not in self.known]
        for name in fresh:
            self.known[name] = replace(match, attempt=attempt, payment=self._payment_behind(name, refs))
        self.new_references.update(fresh)
        return bool(fresh)

    def _payment_behind(self, name: str, refs: ObjectRefs) -> str:
        """What pays an invoice is part of the invoice's payment; a charge is part of its PaymentIntent's."""
        if name == refs.charge:
            return refs.invoice or self._payment_of(refs.payment_intent) or refs.payment_intent
        return refs.invoice if name == refs.payment_intent else ""

    def payment_of(self, refs: ObjectRefs) -> str:
        """The payment that a fact speaks of: its invoice's or its PaymentIntent's, else what its charge belongs to."""
        behind_intent, behind_charge = self._payment_of(refs.payment_intent), self._payment_of(refs.charge)
        return refs.invoice or behind_intent or refs.payment_intent or behind_charge or refs.charge

    def _payment_of(self, name: str) -> str:
        known = self.known.get(name)
        return known.payment if known else ""

    def order_ids(self) -> set[int]:
        """The orders that are spoken of."""
        return {known.order_id for known in self.known.values() if known.order_id is not None}

    def subscription_ids(self) -> set[int]:
        """The subscriptions that are spoken of."""
        return {known.subscription_id for known in self.known.values() if known.subscription_id is not None}

    def keep_orders(self, order_ids: Collection[int]) -> None:
        """Drop what points at orders that are gone."""
        self.known = {
            name: known for name, known in self.known.items() if known.order_id is None or known.order_id in order_ids
        }

    def store(self) -> None:
        """Store the new references; another transaction may store the same at the same time."""
        rows = [_row(name, known) for name in sorted(self.new_references) if (known := self.known.get(name))]
        insert_rows(rows, ignore_conflicts=True)


def _row(name: str, known: Match) -> Reference:
    return Reference(
        name=name,
        order_id=known.order_id,
        subscription_id=known.subscription_id,
        attempt=known.attempt,
        payment=known.payment,
    )


def resolve(all_refs: Sequence[ObjectRefs], *, also: Collection[str] = ()) -> ReferenceMap:
    """Look up every name in one SELECT, then let names lead to each other until nothing new comes of it.

    `also`: names that the facts mention without being about them.
    """
    wanted = {name for refs in all_refs for name in refs.names()} | set(also)
    names = ReferenceMap({name: Match(*columns) for name, *columns in prepared(LOOK_UP, [list(wanted)])})
    while any([names.learn(refs, match) for refs in all_refs if (match := names.find(refs))]):
        pass
    return names


@dataclass(slots=True)
class ClaimedRows:
    """What a batch needs beside the rows it locks. `customers` by Stripe id; `new_references`: of rows just made."""

    customers: dict[str, Customer] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    plans_of_orders: dict[int, int | None] = field(default_factory=dict)
    new_references: set[str] = field(default_factory=set)


def claim_rows(facts: Sequence[Fact]) -> ClaimedRows:
    """Make the rows and references that these facts ask for. In the caller's transaction; safe with many at once."""
    named = [fact for fact in facts if isinstance(fact, SubscriptionSide) and not isinstance(fact, InvoicePaymentFact)]
    claimed = ClaimedRows()
    if not named and not any(isinstance(fact, CustomerFact) for fact in facts):
        return claimed
    claimed.plans = list(Plan.objects.all())
    claimed.customers = _customers({fact.refs.customer for fact in facts if fact.refs.customer})
    ours = _ours(named, claimed)
    _remember_prices(ours, claimed.plans)
    claimed.new_references |= _make_customers(ours, claimed)
    claimed.new_references |= _make_subscriptions({fact.refs.subscription for fact in ours if fact.refs.subscription})
    return claimed


def find_our_subscriptions(facts: Iterable[Fact]) -> set[str]:
    """The subscriptions among these that are ours, known or not; nothing is made."""
    named = [fact for fact in facts if isinstance(fact, SubscriptionSide)]
    claimed = ClaimedRows(_customers({fact.refs.customer for fact in named}), list(Plan.objects.all()))
    return {fact.refs.subscription for fact in _ours(named, claimed)}


def _ours(named: Iterable[SubscriptionSide], claimed: ClaimedRows) -> list[SubscriptionSide]:
    """Those about subscriptions that are known, or of which one of these facts says that they are ours."""
    facts = list(named)
    ids = {fact.refs.subscription for fact in facts}
    ours = set(Subscription.objects.filter(stripe_id__in=ids).values_list("stripe_id", flat=True))
    prices = {price for plan in claimed.plans for price in plan.all_prices}
    ours |= {fact.refs.subscription for fact in facts if _is_ours(fact, prices, claimed.customers)}
    ours |= _started_here(facts)
    return [fact for fact in facts if fact.refs.subscription in ours]


def _is_ours(fact: SubscriptionSide, prices: Collection[str], customers: Collection[str]) -> bool:
    refs = fact.refs
    if refs.site:
        return not is_foreign(refs)
    return any(price in prices for price in _prices_of(fact)) or refs.customer in customers


def _prices_of(fact: SubscriptionSide) -> tuple[str, ...]:
    return fact.prices if isinstance(fact, SubscriptionFact | InvoiceFact) else ()


def _remember_prices(ours: Iterable[SubscriptionSide], plans: Iterable[Plan]) -> None:
    """With which of the prices in the settings somebody has subscribed."""
    used = {price for fact in ours for price in _prices_of(fact)}
    for plan in plans:
        if plan.stripe_price in used - {""}:
            remember_price(plan)


def _started_here(facts: Iterable[SubscriptionSide]) -> set[str]:
    """What orders of ours began, whatever site is named: nobody but us knows the public id of an order."""
    began = [fact for fact in facts if isinstance(fact, SubscriptionStartedFact | SubscriptionFact) and fact.order]
    if not began:
        return set()
    names = {f"{ORDER}{fact.order}" for fact in began}
    known = set(Reference.objects.filter(name__in=names, order__isnull=False).values_list("name", flat=True))
    return {fact.refs.subscription for fact in began if f"{ORDER}{fact.order}" in known}


def _customers(names: Collection[str]) -> dict[str, Customer]:
    return {row.stripe_id: row for row in Customer.objects.filter(stripe_id__in=names)}


def _make_customers(ours: Iterable[SubscriptionSide], claimed: ClaimedRows) -> set[str]:
    wanted = {fact.refs.customer for fact in ours if fact.refs.customer}
    names = sorted(wanted - _known_names(wanted))
    if not names:
        return set()
    Customer.objects.bulk_create([Customer(stripe_id=name) for name in names], ignore_conflicts=True)
    fresh = _customers(names)
    claimed.customers |= fresh
    _store([Reference(name=name, customer=row) for name, row in fresh.items()])
    return set(names)


def _make_subscriptions(ids: Collection[str]) -> set[str]:
    names = sorted(set(ids) - _known_names(ids))
    if not names:
        return set()
    rows = [Subscription(stripe_id=name, needs_resync=True) for name in names]
    Subscription.objects.bulk_create(rows, ignore_conflicts=True)
    made = Subscription.objects.filter(stripe_id__in=names)
    _store([Reference(name=row.stripe_id, subscription=row) for row in made])
    return set(names)


def _known_names(names: Collection[str]) -> set[str]:
    """Those under which events find something already."""
    return set(Reference.objects.filter(name__in=names).values_list("name", flat=True)) if names else set()


def _store(rows: list[Reference]) -> None:
    Reference.objects.bulk_create(rows, ignore_conflicts=True)
