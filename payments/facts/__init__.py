"""What an event or a fetched object tells us, in our words: small frozen facts, each naming what it is about."""

from collections.abc import Iterator
from dataclasses import dataclass

from payments.facts.about import About
from payments.facts.order import BuyerFact, DisputeFact, Failure, OrderFact, PaymentFact, RefundFact
from payments.facts.subscription import (
    AppealFact,
    BeganFact,
    CustomerFact,
    InvoiceFact,
    LinkFact,
    SubscriptionFact,
    Terms,
)

__all__ = [
    "About",
    "AppealFact",
    "BeganFact",
    "BuyerFact",
    "CustomerFact",
    "DisputeFact",
    "Fact",
    "Facts",
    "Failure",
    "InvoiceFact",
    "LinkFact",
    "Nothing",
    "OrderFact",
    "OrderSide",
    "PaymentFact",
    "RefundFact",
    "SubscriptionFact",
    "SubscriptionSide",
    "Terms",
    "names_to_wait_for",
]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Said by a handler that has looked and found nothing to apply: the event is kept and ignored for `reason`."""

    reason: str


OrderSide = OrderFact | PaymentFact | RefundFact | DisputeFact | BuyerFact
SubscriptionSide = SubscriptionFact | BeganFact | InvoiceFact | LinkFact | AppealFact
Fact = OrderSide | SubscriptionSide | CustomerFact
Facts = Iterator[Fact | Nothing]


def names_to_wait_for(fact: Fact) -> tuple[str, ...]:
    """The names of which one must become known before the fact can be applied.

    Of a subscription also its customer: what somebody subscribes to whom we know is ours.
    """
    names = fact.about.names()
    is_subscription = bool(fact.about.subscription and fact.about.customer)
    return (*names, fact.about.customer) if is_subscription and fact.about.customer not in names else names
