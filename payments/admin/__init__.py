"""The cockpit: one file per screen. Screens show and ask; the rules live in the services that they call."""

from payments.admin import (
    billing,
    customers,
    effects,
    exceptions,
    ledger,
    orders,
    plans,
    reconcile,
    subscriptions,
    switches,
)

__all__ = [
    "billing",
    "customers",
    "effects",
    "exceptions",
    "ledger",
    "orders",
    "plans",
    "reconcile",
    "subscriptions",
    "switches",
]
