"""The only writer of orders and money: facts in, state, history, questions and effects out, in one transaction."""

from payments.apply.apply import Applied, Telling, apply, follow_again

__all__ = ["Applied", "Telling", "apply", "follow_again"]
