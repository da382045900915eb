"""A busy world that our side has heard all about, and how every row of it looks."""

from typing import Any

from django.db.models import Model

from payments.billing.models import Customer, Dispute, Payment, Refund, Subscription
from payments.effects.models import Effect
from payments.orders.models import CheckoutAttempt, Order, OrderException, Reference
from registrations.models import Activity, Registration
from registrations.services.register import register
from tests.properties.memberships import beginnings, changes, money_back, renewals
from tests.properties.memberships.life import Life
from tests.support import buyers
from tests.support.buyers import Fate
from tests.support.deep import so_many
from tests.support.resync import heard, sold
from tests.support.road import NOON

FATES: dict[Fate, int] = {
    buyers.pays: 24,
    buyers.is_declined_first: 6,
    buyers.leaves: 5,
    buyers.leaves_after_a_decline: 4,
    buyers.is_refunded: 8,
    buyers.is_refunded_in_parts: 8,
    buyers.loses_a_dispute: 5,
    buyers.disputes: 6,
}
LIVES = (
    beginnings.through_checkout, beginnings.yearly, beginnings.in_yen, beginnings.at_stripe, beginnings.debit_pays,
    changes.canceled_now, changes.canceled_later, changes.to_a_year, money_back.in_part, money_back.in_two_parts,
    money_back.the_renewal, money_back.lost, money_back.comes_back, renewals.paid_elsewhere, renewals.recovers,
    renewals.renewed_three_times,
)  # fmt: skip
# By what a row is known, whatever its number: one that was lost comes back with another.
KEYS: dict[type[Model], tuple[str, ...]] = {
    Activity: ("slug",),
    CheckoutAttempt: ("order_id", "number"),
    Customer: ("stripe_id",),
    Dispute: ("stripe_id",),
    Effect: ("key",),
    Order: ("public_id",),
    OrderException: ("kind", "subject"),
    Payment: ("key",),
    Reference: ("name",),
    Refund: ("stripe_id",),
    Registration: ("public_id",),
    Subscription: ("stripe_id",),
}
Picture = dict[str, dict[str, Any]]


def begin(activity: Activity, life: Life) -> None:
    """Everybody buys, and everything is heard."""
    number = 0
    for fate, count in FATES.items():
        for _ in range(so_many(count // 2, deep=count)):
            number += 1
            email = f"buyer{number}@example.com"
            row = register(activity=activity, name=f"Buyer {number}", email=email, language="fr", at=NOON)
            fate(sold(row))
    for lived in LIVES:
        life.customer = life.subscription = ""
        lived(life)
    heard()


def picture() -> Picture:
    """Every column of every row, without the numbers that the database gives out."""
    names = dict(Subscription.objects.values_list("pk", "stripe_id"))
    return {
        " ".join([model.__name__, *(str(row[name]) for name in key)]): {
            column: names.get(value) if column == "subscription_id" else value
            for column, value in row.items()
            if column != "id"
        }
        for model, key in KEYS.items()
        for row in model._default_manager.values(*[field.attname for field in model._meta.concrete_fields])
    }


def differences(before: Picture, after: Picture) -> set[tuple[str, str]]:
    """Row and column of everything that differs; of a row that is not in both, "gone" or "new"."""
    found = {(row, "gone" if row in before else "new") for row in before.keys() ^ after.keys()}
    for row in before.keys() & after.keys():
        found |= {(row, column) for column, value in before[row].items() if after[row][column] != value}
    return found
