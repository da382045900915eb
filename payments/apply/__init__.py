"""The only writer of orders and money: facts in, state, history, questions and effects out, in one transaction."""

from payments.apply.adopt import find_ours
from payments.apply.apply import apply, follow_again, follow_subscriptions_again, settle_again
from payments.apply.telling import Applied, Telling

__all__ = [
    "Applied", "Telling", "apply", "find_ours", "follow_again", "follow_subscriptions_again", "settle_again",
]  # fmt: skip
