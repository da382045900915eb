"""Resync: ask Stripe for all of an order, a subscription or a person, and let it replace what is known here."""

from payments.resync.resync import (
    Change,
    HasMoved,
    KeepsMoving,
    Resynced,
    ResyncOptions,
    resync_customer,
    resync_order,
    resync_person,
    resync_subscription,
    resync_where_needed,
)

__all__ = [
    "Change",
    "HasMoved",
    "KeepsMoving",
    "ResyncOptions",
    "Resynced",
    "resync_customer",
    "resync_order",
    "resync_person",
    "resync_subscription",
    "resync_where_needed",
]
