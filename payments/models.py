"""Gathers the models of this app's rooms for Django; each is defined beside what uses it."""

from payments.billing.models import Customer, Dispute, Payment, Plan, Receipt, Refund, Subscription
from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, HeldType, PaymentEvent, Redelivery
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.reconcile.models import ReconcileRun

__all__ = [
    "CheckoutAttempt",
    "Customer",
    "Dispute",
    "Effect",
    "EventAttempt",
    "HeldType",
    "Order",
    "OrderChange",
    "OrderException",
    "Payment",
    "PaymentEvent",
    "Plan",
    "Receipt",
    "ReconcileRun",
    "Redelivery",
    "Reference",
    "Refund",
    "Subscription",
]
