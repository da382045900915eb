"""How an order or a subscription stands, in words: what of it differs can be told by comparing two of these."""

from payments.apply.rows import values_of
from payments.apply.state import MoneyState, OrderState

# What the history holds.
LONGEST = 255
# What the history does not show by itself (VISIBLE in take.py and take_subscription.py).
ORDER_SHOWN = ("paid_at", "settled_at", "city", "country", "tried_status", "tried_attempt", "failure_code")
SUBSCRIPTION_SHOWN = (
    "price", "currency", "interval", "interval_count", "quantity", "started_at", "period_start", "trial_end",
    "canceled_at", "customer_id", "order_id", "last_paid_at", "paid_until",
)  # fmt: skip


def shown(state: MoneyState) -> dict[str, str]:
    """The money in words, by what it is called, and what of the row is not visible otherwise."""
    names = ORDER_SHOWN if isinstance(state, OrderState) else SUBSCRIPTION_SHOWN
    told = {name: _word(value) for name, value in values_of(state.row, names).items()}
    for key, payment in state.payments.items():
        told[f"paid {key}"] = _word(payment.received or "")
        told[f"refunded {key}"] = _word(payment.refunded or "")
        told[f"refunded by {payment.charge or key}"] = _word(payment.charge_refunded or "")
        told[f"details {key}"] = _words(payment.paid_at, payment.currency, payment.session, payment.charge)
        told[f"elsewhere {key}"] = _word(payment.off_stripe or "")
    for key, refund in state.refunds.items():
        told[f"refund {key}"] = f"{refund.status} {refund.amount}"
        told[f"details {key}"] = _words(refund.payment, refund.currency, refund.reason, refund.failure_reason)
    for key, dispute in state.disputes.items():
        told[f"dispute {key}"] = f"{dispute.status} {dispute.amount}"
        phase = f"phase {dispute.phase}"
        told[f"details {key}"] = _words(dispute.payment, dispute.currency, dispute.reason, phase, dispute.due_by)
    return told


def _words(*values: object) -> str:
    return " ".join(filter(None, map(_word, values)))[:LONGEST]


def _word(value: object) -> str:
    return "" if value is None else str(value)
