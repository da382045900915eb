"""Gathers the models of this app's rooms for Django; each is defined beside what uses it."""

from payments.billing.models import Dispute, Payment, Receipt, Refund
from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.switches import HeldType

__all__ = [
    "CheckoutAttempt",
    "Dispute",
    "Effect",
    "EventAttempt",
    "HeldType",
    "Order",
    "OrderChange",
    "OrderException",
    "Payment",
    "PaymentEvent",
    "Receipt",
    "Reference",
    "Refund",
]
