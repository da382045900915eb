"""The rows of which one page of a list speaks, and whether they say what Stripe says.

A doubt is a no: who asks again finds that nothing differs.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from payments.apply.references import Match, ReferenceMap, resolve
from payments.billing.fold import plans_of, values_told
from payments.billing.models import Dispute, Payment, Plan, Refund, Subscription
from payments.facts import (
    BuyerAddressFact,
    DisputeFact,
    Fact,
    FraudWarningFact,
    InvoiceFact,
    ObjectRefs,
    OrderFact,
    PaymentFact,
    RefundFact,
    SubscriptionFact,
    SubscriptionStartedFact,
)
from payments.orders.fold import pays_without_money, phase_of, undone_of
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import CLOSED_STATUSES, PLAN, REFUND_UNDONE, OrderStatus

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
        keys = {names.payment_of(fact.refs) for fact in facts}
        keys |= {fact.key for fact in facts if isinstance(fact, PaymentFact)}
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
            list(Refund.objects.filter(payment__in=keys, status__in=REFUND_UNDONE)),
            list(Plan.objects.all()),
        )

    def row_of(self, fact: Fact, known: Match) -> Money | None:
        """The row that the fact is about, if there is one."""
        match fact:
            case PaymentFact():
                return self.payments.get(self.key_of(fact, known))
            case InvoiceFact():
                return self.payments.get(fact.refs.invoice)
            case RefundFact():
                return self.refunds.get(fact.refund)
            case DisputeFact():
                return self.disputes.get(fact.dispute)
        return None

    def key_of(self, fact: PaymentFact, known: Match) -> str:
        """The payment that the fact is about: an invoice's own name goes before that of what pays it."""
        return fact.key if known.order_id else self.names.payment_of(fact.refs)


def matches(page: Page, fact: Fact, known: Match) -> bool:
    """Whether our rows about `known` say what the fact says."""
    check = CHECKS.get(type(fact))
    return check is None or check(page, fact, known)


def is_owned(row: Money, known: Match) -> bool:
    """Whether the row belongs to whom its names lead to."""
    return (row.order_id, row.subscription_id) == (known.order_id, known.subscription_id)


def _matches_payment(page: Page, fact: PaymentFact, known: Match) -> bool:
    row = page.payments.get(page.key_of(fact, known))
    if row is None or not is_owned(row, known) or not _is_after(row.paid_at, fact.occurred_at):
        return False
    total = range(fact.refunded, fact.refunded + undone_of(row, page.undone) + 1)
    is_same = (row.received, row.currency, row.charge) == (fact.received, fact.currency, fact.refs.charge)
    is_same = is_same and row.charge_refunded in total and fact.refs.session in ("", row.session)
    return is_same and _has_session(page, fact.refs, known)


def _matches_refund(page: Page, fact: RefundFact, known: Match) -> bool:
    row = page.refunds.get(fact.refund)
    if row is None or not is_owned(row, known) or row.payment != page.names.payment_of(fact.refs):
        return False
    told = (fact.amount, fact.currency, fact.status, fact.reason, fact.failure_reason, fact.pending_reason)
    return (row.amount, row.currency, row.status, row.reason, row.failure_reason, row.pending_reason) == told


def _matches_dispute(page: Page, fact: DisputeFact, known: Match) -> bool:
    row = page.disputes.get(fact.dispute)
    if row is None or not is_owned(row, known) or row.payment != page.names.payment_of(fact.refs):
        return False
    told = (fact.amount, fact.currency, fact.status, phase_of(fact), fact.reason, fact.due_by)
    return (row.amount, row.currency, row.status, row.phase, row.reason, row.due_by) == told


def _matches_warning(page: Page, fact: FraudWarningFact, known: Match) -> bool:
    row = page.payments.get(page.names.payment_of(fact.refs))
    told = (fact.warning, fact.fraud_type, fact.is_actionable)
    return row is not None and (row.fraud_warning, row.fraud_type, row.is_fraud_actionable) == told


def _matches_progress(page: Page, fact: OrderFact, known: Match) -> bool:
    """Where the order stands by its newest session; its money is told elsewhere."""
    order, attempt = page.orders.get(known.order_id or 0), _attempt_of(fact.refs, known)
    if order is None or not _has_session(page, fact.refs, known):
        return False
    sessions = page.sessions[order.pk]
    if fact.refs.session not in sessions.values():
        return True
    intent = page.payments.get(fact.refs.payment_intent)
    if intent and intent.session != fact.refs.session:
        return False
    if fact.status == OrderStatus.PAID:
        return order.settled_at is not None or not pays_without_money(order, fact)
    if order.paid_at or attempt < max(*sessions, order.attempt_number):
        return True
    if order.kind == PLAN and fact.status == OrderStatus.PROCESSING:
        # Its session does not tell what becomes of the money: only its subscription does, asked singly.
        return order.attempt_status == OrderStatus.FAILED
    is_closed = fact.status in CLOSED_STATUSES and order.attempt_status in CLOSED_STATUSES
    return order.attempt_number == attempt and (order.attempt_status == fact.status or is_closed)


def _matches_buyer(page: Page, fact: BuyerAddressFact, known: Match) -> bool:
    order = page.orders.get(known.order_id or 0)
    return order is not None and (order.city, order.country) == (fact.city, fact.country)


def _matches_start(page: Page, fact: SubscriptionStartedFact, known: Match) -> bool:
    return _matches_owners(page, page.subscriptions.get(known.subscription_id or 0), fact)


def _matches_subscription(page: Page, fact: SubscriptionFact, known: Match) -> bool:
    row = page.subscriptions.get(known.subscription_id or 0)
    if row is None or not _matches_owners(page, row, fact):
        return False
    told = values_told(fact, page.plans)
    held = [plan.pk for plan in plans_of(row, page.plans)]
    is_same_plan = (row.plan_id, row.further_plans) == (held[0] if held else None, held[1:])
    return is_same_plan and all(getattr(row, name) == value for name, value in told.items())


def _matches_owners(page: Page, row: Subscription | None, fact: SubscriptionFact | SubscriptionStartedFact) -> bool:
    """Whose it is and which order began it, as far as that is told."""
    if row is None:
        return False
    order = page.names.known.get(f"order:{fact.order}", Match()).order_id
    customer = row.customer.stripe_id if row.customer else ""
    return fact.refs.customer in ("", customer) and order in (None, row.order_id)


def _matches_invoice(page: Page, fact: InvoiceFact, known: Match) -> bool:
    row = page.subscriptions.get(known.subscription_id or 0)
    if row is None or fact.paid_at is None:
        return False
    told, last = (fact.paid_at, fact.period_end), (row.last_paid_at, row.paid_until)
    if row.last_paid_at is None or _as_numbers(told) > _as_numbers(last):
        return False
    payment = page.payments.get(fact.refs.invoice)
    if payment is None or not is_owned(payment, known):
        return not fact.received
    if fact.period_end and payment.period_end is None:
        return False
    is_same = (payment.received, payment.currency, payment.off_stripe)
    has_date = payment.paid_at is not None and payment.paid_at <= fact.paid_at
    return has_date and is_same == (fact.received, fact.currency, fact.off_stripe)


CHECKS: dict[type, Callable[[Page, Any, Match], bool]] = {
    PaymentFact: _matches_payment,
    RefundFact: _matches_refund,
    DisputeFact: _matches_dispute,
    FraudWarningFact: _matches_warning,
    OrderFact: _matches_progress,
    BuyerAddressFact: _matches_buyer,
    SubscriptionFact: _matches_subscription,
    SubscriptionStartedFact: _matches_start,
    InvoiceFact: _matches_invoice,
}


def _has_session(page: Page, refs: ObjectRefs, known: Match) -> bool:
    """Whether the order has the session; one whose place another has taken is not the order's."""
    if not refs.session or not known.order_id:
        return True
    sessions = page.sessions.get(known.order_id, {})
    return refs.session in sessions.values() or _attempt_of(refs, known) in sessions


def _attempt_of(refs: ObjectRefs, known: Match) -> int:
    return refs.attempt or known.attempt or 1


def _is_after(moment: datetime | None, told: datetime) -> bool:
    return moment is not None and moment >= told


def _as_numbers(dates: tuple[datetime | None, datetime | None]) -> tuple[float, ...]:
    return tuple(moment.timestamp() if moment else 0 for moment in dates)


def _sessions_of(order_ids: Collection[int]) -> Sessions:
    sessions: Sessions = defaultdict(dict)
    rows = CheckoutAttempt.objects.filter(order_id__in=order_ids).exclude(session="")
    for order_id, number, session in rows.values_list("order_id", "number", "session"):
        sessions[order_id][number] = session
    return sessions
