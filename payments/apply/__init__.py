"""The only writer of orders and money: facts in, state, history, questions and effects out, in one transaction."""

from payments.apply.apply import apply, follow_orders_again, follow_subscriptions_again, recompute_order
from payments.apply.batch import ApplyResult, FactSet
from payments.apply.references import find_our_subscriptions

__all__ = [
    "Applied", "Telling", "apply", "find_ours", "follow_again", "follow_subscriptions_again", "settle_again",
]  # fmt: skip
