"""The rows of which one page of a list speaks, read in a few statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from payments.apply.references import Match, ReferenceMap, resolve
from payments.billing.models import Dispute, Payment, Plan, Refund, Subscription
from payments.facts import (
    DisputeFact,
    Fact,
    InvoiceFact,
    PaymentFact,
    RefundFact,
    SubscriptionFact,
    SubscriptionStartedFact,
)
from payments.orders.fold import UNDONE
from payments.orders.models import CheckoutAttempt, Order

Money = Payment | Refund | Dispute
Sessions = dict[int, dict[int, str]]


@dataclass(slots=True)
class Page:
    """What is known here of what the facts speak of, by its names at Stripe."""

    names: ReferenceMap
    orders: dict[int, Order] = field(default_factory=dict)
    sessions: Sessions = field(default_factory=dict)
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    undone: list[Refund] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    @classmethod
    def read(cls, facts: Sequence[Fact]) -> "Page":
        """Everything that the page needs."""
        orders_behind = {
            f"order:{fact.order}" for fact in facts if isinstance(fact, SubscriptionFact | SubscriptionStartedFact)
        }
        names = resolve([fact.refs for fact in facts], also=orders_behind)
        keys = {names.payment_of(fact.refs) for fact in facts} | {
            fact.key for fact in facts if isinstance(fact, PaymentFact)
        }
        refunds = [fact.refund for fact in facts if isinstance(fact, RefundFact)]
        disputes = [fact.dispute for fact in facts if isinstance(fact, DisputeFact)]
        subscriptions = Subscription.objects.select_related("customer")
        return cls(
            names,
            Order.objects.in_bulk(names.order_ids()),
            _sessions_of(names.order_ids()),
            subscriptions.in_bulk(names.subscription_ids()),
            Payment.objects.in_bulk(keys - {""}, field_name="key"),
            Refund.objects.in_bulk(refunds, field_name="stripe_id"),
            Dispute.objects.in_bulk(disputes, field_name="stripe_id"),
            list(Refund.objects.filter(payment__in=keys, status__in=UNDONE)),
            list(Plan.objects.all()),
        )

    def rows_of(self, fact: Fact, known: Match) -> list[Money]:
        """The row that the fact is about, if there is one."""
        match fact:
            case PaymentFact():
                row: Money | None = self.payments.get(self.key_of(fact, known))
            case InvoiceFact():
                row = self.payments.get(fact.refs.invoice)
            case RefundFact():
                row = self.refunds.get(fact.refund)
            case DisputeFact():
                row = self.disputes.get(fact.dispute)
            case _:
                row = None
        return [row] if row else []

    def key_of(self, fact: PaymentFact, known: Match) -> str:
        """The payment that the fact is about: an invoice's own name goes before that of what pays it."""
        return fact.key if known.order_id else self.names.payment_of(fact.refs)


def _sessions_of(order_ids: Collection[int]) -> Sessions:
    sessions: Sessions = defaultdict(dict)
    rows = CheckoutAttempt.objects.filter(order_id__in=order_ids).exclude(session="")
    for order_id, number, session in rows.values_list("order_id", "number", "session"):
        sessions[order_id][number] = session
    return sessions
