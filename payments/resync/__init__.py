"""Resync: ask Stripe for all of an order, a subscription or a person, and let it replace what is known here."""

from payments.resync.resync import (
    Change,
    HasMoved,
    KeepsMoving,
    Resynced,
    ResyncOptions,
    belongs_to,
    resync_customer,
    resync_order,
    resync_person,
    resync_subscription,
    resync_user,
    resync_where_needed,
)
from payments.resync.unknown import (
    UnknownName,
    resync_order_called,
    resync_person_called,
    resync_subscription_called,
)

__all__ = [
    "Change",
    "HasMoved",
    "KeepsMoving",
    "ResyncOptions",
    "Resynced",
    "UnknownName",
    "belongs_to",
    "resync_customer",
    "resync_order",
    "resync_order_called",
    "resync_person",
    "resync_person_called",
    "resync_subscription",
    "resync_subscription_called",
    "resync_user",
    "resync_where_needed",
]
