"""The only writer of orders and money: facts in, state, history, questions and effects out, in one transaction."""

from payments.apply.apply import Applied, Telling, apply

__all__ = ["Applied", "Telling", "apply"]
