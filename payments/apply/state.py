"""All that a batch may change: orders and subscriptions, each with its money."""

from dataclasses import dataclass, field
from typing import Any

from payments.apply.rows import Part, States
from payments.billing.fold import is_doubtful
from payments.billing.models import Dispute, Payment, Refund
from payments.billing.subscriptions import Subscription
from payments.orders.fold import refunded_of, settle
from payments.orders.models import CheckoutAttempt, Order

ORDER_STATE = (
    "status", "paid_at", "amount_received", "amount_refunded", "dispute_state", "city", "country", "located_at",
    "tried_status", "tried_attempt", "tried_at", "failed_charge", "failed_attempt", "failed_at", "failure_code",
    "failure_message", "settled_at",
)  # fmt: skip
ORDER_KEY = ("status", "tried_status", "tried_attempt", "tried_at")
SUBSCRIPTION_STATE = (
    "customer_id", "order_id", "plan_id", "status", "told_at", "fingerprint", "is_birth", "is_contradicted", "price",
    "amount", "currency", "interval", "interval_count", "quantity", "started_at", "period_start", "period_end",
    "trial_end", "cancel_at", "canceled_at", "ended_at", "last_paid_at", "paid_until", "is_doubtful",
)  # fmt: skip
SUBSCRIPTION_KEY = ("status", "told_at", "fingerprint")
PAYMENT_STATE = ("session", "charge", "currency", "received", "charge_refunded", "refunded", "off_stripe", "paid_at")
REFUND_STATE = ("payment", "amount", "currency", "status", "status_at", "reason", "failure_reason")
DISPUTE_STATE = ("payment", "amount", "currency", "reason", "status", "phase", "status_at", "due_by")
CHECKOUT_STATE = ("session",)


@dataclass(slots=True)
class OrderState:
    """One locked order with its money; `before` is how the row was read."""

    row: Order
    checkouts: dict[int, CheckoutAttempt] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> Order:
        return self.row

    @property
    def owner(self) -> dict[str, Any]:
        """To whom its money belongs: what new rows of it are made with."""
        return {"order": self.row}

    def sessions(self) -> set[str]:
        """The Checkout sessions that are this order's own."""
        return {checkout.session for checkout in self.checkouts.values() if checkout.session}

    def settle(self) -> None:
        """Work out what all that we know means."""
        settle(
            self.row,
            payments=self.payments.values(),
            refunds=self.refunds.values(),
            disputes=self.disputes.values(),
            sessions=self.sessions(),
        )


@dataclass(slots=True)
class SubscriptionState:
    """One locked subscription with its money; `before` is how the row was read."""

    row: Subscription
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> dict[str, Any]:
        """To whom its money belongs: what new rows of it are made with."""
        return {"subscription": self.row}

    def settle(self) -> None:
        """Work out what all that we know means."""
        for payment in self.payments.values():
            payment.refunded = refunded_of(payment, self.refunds.values())
        self.row.is_doubtful = is_doubtful(self.row)


MoneyState = OrderState | SubscriptionState
MONEY: tuple[Part, ...] = (
    (Payment, "payments", "key", PAYMENT_STATE),
    (Refund, "refunds", "stripe_id", REFUND_STATE),
    (Dispute, "disputes", "stripe_id", DISPUTE_STATE),
)


class OrderStates(States[OrderState]):
    """The locked orders of a batch."""

    model, owner, columns, guards = Order, "order_id", ORDER_STATE, ORDER_KEY
    parts = ((CheckoutAttempt, "checkouts", "number", CHECKOUT_STATE), *MONEY)

    @classmethod
    def make(cls, row: Any, before: dict[str, Any]) -> OrderState:
        return OrderState(row, before=before)


class SubscriptionStates(States[SubscriptionState]):
    """The locked subscriptions of a batch."""

    model, owner, columns, guards = Subscription, "subscription_id", SUBSCRIPTION_STATE, SUBSCRIPTION_KEY
    parts = MONEY

    @classmethod
    def make(cls, row: Any, before: dict[str, Any]) -> SubscriptionState:
        return SubscriptionState(row, before=before)
