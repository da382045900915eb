"""Takes what is told about people: their names, where they live, that they are gone."""

from collections.abc import Iterable, Mapping
from typing import Any

from payments.apply.money import Taken
from payments.apply.rows import values_of
from payments.billing.fold import fold_customer
from payments.billing.subscriptions import Customer, Subscription
from payments.facts import CustomerFact, Fact

VISIBLE = ("email", "name", "city", "country")
CUSTOMER_STATE = ("email", "name", "told_at", "city", "country", "located_at", "deleted_at")


def lock_customers(facts: Iterable[Fact]) -> dict[int, Customer]:
    """The people of whom these facts tell, as far as we know them; locked, sorted by id."""
    names = _told(facts)
    if not names:
        return {}
    rows = Customer.objects.filter(stripe_id__in=names).order_by("pk").select_for_update(no_key=True)
    return {row.pk: row for row in rows}


def subscriptions_of_strangers(facts: Iterable[Fact]) -> set[int]:
    """What the people told of pay for who have no account yet: it follows if they turn out to have one."""
    names = _told(facts)
    if not names:
        return set()
    rows = Subscription.objects.filter(customer__stripe_id__in=names, customer__user__isnull=True)
    return set(rows.values_list("pk", flat=True))


def _told(facts: Iterable[Fact]) -> set[str]:
    return {fact.about.customer for fact in facts if isinstance(fact, CustomerFact)}


def take_customer(row: Customer | None, facts: Iterable[Fact], *, is_anew: bool = False) -> Taken:
    """Take the facts of one event and work out what changed for people to see. `is_anew`: see payments.apply.anew."""
    taken = Taken()
    if row is None:
        return taken
    known, was_deleted = values_of(row, CUSTOMER_STATE), row.deleted_at is not None
    before = values_of(row, VISIBLE)
    for fact in facts:
        if isinstance(fact, CustomerFact):
            fold_customer(row, fact)
    if is_anew:
        _recall(row, known)
    after = values_of(row, VISIBLE)
    taken.changes = [(name, before[name], after[name]) for name in VISIBLE if before[name] != after[name]]
    if row.deleted_at is not None and not was_deleted:
        taken.changes.append(("deleted", "", str(row.deleted_at.date())))
    return taken


def _recall(row: Customer, known: Mapping[str, Any]) -> None:
    """What a look at Stripe tells as it was known is dated as it was."""
    if (row.email, row.name) == (known["email"], known["name"]):
        row.told_at = known["told_at"]
    if (row.city, row.country) == (known["city"], known["country"]):
        row.located_at = known["located_at"]
