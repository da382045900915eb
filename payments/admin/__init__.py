"""The screens of the money: one file each. They show and ask; the rules live in the services that they call."""

from payments.admin import (
    backfill,
    billing,
    customers,
    dashboard,
    diagnosis,
    exceptions,
    finance_export,
    health,
    incidents,
    ledger,
    mail_previews,
    orders,
    payouts,
    people,
    plans,
    reconcile,
    refunds_owed,
    replays,
    stripe_setup,
    subscriptions,
    todo,
)

__all__ = [
    "backfill", "billing", "customers", "dashboard", "diagnosis", "exceptions", "finance_export", "health", "incidents",
    "ledger", "mail_previews", "orders", "payouts", "people", "plans", "reconcile", "refunds_owed", "replays",
    "stripe_setup", "subscriptions", "todo",
]  # fmt: skip
