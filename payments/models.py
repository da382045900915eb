"""Gathers the models of this app's rooms for Django; each is defined beside what uses it."""

from payments.alerts.models import Alert
from payments.backfill.models import BackfillMark, BackfillRun
from payments.billing.models import Customer, Dispute, Payment, Plan, Receipt, Refund, Subscription
from payments.effects.models import Effect
from payments.endpoints.models import EndpointLook
from payments.figures.models import DailyFigure, FiguresState
from payments.heartbeats import Heartbeat
from payments.incidents.models import Incident
from payments.ledger.models import EventAttempt, HeldType, PaymentEvent, Redelivery, RefusedDeliveries
from payments.moved_days import MovedDay
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.payouts.models import BalanceEntry, Payout, PayoutWalk
from payments.processing.models import ReplayRun
from payments.reconcile.models import ReconcileRun
from payments.tallies import Tally

__all__ = [
    "Alert",
    "BackfillMark",
    "BackfillRun",
    "BalanceEntry",
    "CheckoutAttempt",
    "Customer",
    "DailyFigure",
    "Dispute",
    "Effect",
    "EndpointLook",
    "EventAttempt",
    "FiguresState",
    "Heartbeat",
    "HeldType",
    "Incident",
    "MovedDay",
    "Order",
    "OrderChange",
    "OrderException",
    "Payment",
    "PaymentEvent",
    "Payout",
    "PayoutWalk",
    "Plan",
    "Receipt",
    "ReconcileRun",
    "Redelivery",
    "Reference",
    "Refund",
    "RefusedDeliveries",
    "ReplayRun",
    "Subscription",
    "Tally",
]
