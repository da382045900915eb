"""Resync: ask Stripe for all of an order, a subscription or a person, and let it replace what is known here."""

from payments.operations.resync.resync import (
    HasMoved,
    KeepsMoving,
    Resynced,
    Way,
    resync_customer,
    resync_order,
    resync_person,
    resync_subscription,
)

__all__ = [
    "HasMoved",
    "KeepsMoving",
    "Resynced",
    "Way",
    "resync_customer",
    "resync_order",
    "resync_person",
    "resync_subscription",
]
