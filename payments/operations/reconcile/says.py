"""Whether the rows of a page say what Stripe says. A doubt is a no: who asks again finds that nothing differs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from payments.apply.references import Match
from payments.billing.fold import TERMS, TOLD, plan_of
from payments.billing.models import Subscription
from payments.facts import (
    BuyerAddressFact,
    DisputeFact,
    Fact,
    InvoiceFact,
    ObjectRefs,
    OrderFact,
    PaymentFact,
    RefundFact,
    SubscriptionFact,
    SubscriptionStartedFact,
)
from payments.operations.reconcile.page import Money, Page
from payments.orders.fold import pays_without_money, phase_of, undone_of
from payments.statuses import PLAN, OrderStatus

CLOSED = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


def says(page: Page, fact: Fact, known: Match) -> bool:
    """Whether our rows about `known` say what the fact says."""
    check = CHECKS.get(type(fact))
    return check is None or check(page, fact, known)


def is_owned(row: Money, known: Match) -> bool:
    """Whether the row belongs to whom its names lead to."""
    return (row.order_id, row.subscription_id) == (known.order_id, known.subscription_id)


def _says_payment(page: Page, fact: PaymentFact, known: Match) -> bool:
    row = page.payments.get(page.key_of(fact, known))
    if row is None or not is_owned(row, known) or not _is_after(row.paid_at, fact.occurred_at):
        return False
    total = range(fact.refunded, fact.refunded + undone_of(row, page.undone) + 1)
    is_same = (row.received, row.currency, row.charge) == (fact.received, fact.currency, fact.refs.charge)
    is_same = is_same and row.charge_refunded in total and fact.refs.session in ("", row.session)
    return is_same and _has_session(page, fact.refs, known)


def _says_refund(page: Page, fact: RefundFact, known: Match) -> bool:
    row = page.refunds.get(fact.refund)
    if row is None or not is_owned(row, known) or row.payment != page.names.payment_of(fact.refs):
        return False
    told = (fact.amount, fact.currency, fact.status, fact.reason, fact.failure_reason)
    return (row.amount, row.currency, row.status, row.reason, row.failure_reason) == told


def _says_dispute(page: Page, fact: DisputeFact, known: Match) -> bool:
    row = page.disputes.get(fact.dispute)
    if row is None or not is_owned(row, known) or row.payment != page.names.payment_of(fact.refs):
        return False
    told = (fact.amount, fact.currency, fact.status, phase_of(fact.status), fact.reason, fact.due_by)
    return (row.amount, row.currency, row.status, row.phase, row.reason, row.due_by) == told


def _says_try(page: Page, fact: OrderFact, known: Match) -> bool:
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
    is_closed = fact.status in CLOSED and order.attempt_status in CLOSED
    return order.attempt_number == attempt and (order.attempt_status == fact.status or is_closed)


def _says_buyer(page: Page, fact: BuyerAddressFact, known: Match) -> bool:
    order = page.orders.get(known.order_id or 0)
    return order is not None and (order.city, order.country) == (fact.city, fact.country)


def _says_began(page: Page, fact: SubscriptionStartedFact, known: Match) -> bool:
    return _says_who(page, page.subscriptions.get(known.subscription_id or 0), fact)


def _says_subscription(page: Page, fact: SubscriptionFact, known: Match) -> bool:
    row = page.subscriptions.get(known.subscription_id or 0)
    if row is None or not _says_who(page, row, fact):
        return False
    told = [getattr(fact, name) for name in TOLD] + [getattr(fact.terms, name) for name in TERMS]
    return [getattr(row, name) for name in (*TOLD, *TERMS)] == told and _says_plan(page, row, fact)


def _says_plan(page: Page, row: Subscription, fact: SubscriptionFact) -> bool:
    plan = plan_of(row, page.plans, slug=fact.plan)
    return row.plan_id == (plan.pk if plan else None)


def _says_who(page: Page, row: Subscription | None, fact: SubscriptionFact | SubscriptionStartedFact) -> bool:
    """Whose it is and which order began it, as far as that is told."""
    if row is None:
        return False
    order = page.names.known.get(f"order:{fact.order}", Match()).order_id
    customer = row.customer.stripe_id if row.customer else ""
    return fact.refs.customer in ("", customer) and order in (None, row.order_id)


def _says_invoice(page: Page, fact: InvoiceFact, known: Match) -> bool:
    row = page.subscriptions.get(known.subscription_id or 0)
    if row is None or fact.paid_at is None:
        return False
    told, last = (fact.paid_at, fact.period_end), (row.last_paid_at, row.paid_until)
    if row.last_paid_at is None or _key(told) > _key(last):
        return False
    payment = page.payments.get(fact.refs.invoice)
    if payment is None or not is_owned(payment, known):
        return not fact.received
    is_same = (payment.received, payment.currency, payment.off_stripe)
    has_date = payment.paid_at is not None and payment.paid_at <= fact.paid_at
    return has_date and is_same == (fact.received, fact.currency, fact.off_stripe)


CHECKS: dict[type, Callable[[Page, Any, Match], bool]] = {
    PaymentFact: _says_payment,
    RefundFact: _says_refund,
    DisputeFact: _says_dispute,
    OrderFact: _says_try,
    BuyerAddressFact: _says_buyer,
    SubscriptionFact: _says_subscription,
    SubscriptionStartedFact: _says_began,
    InvoiceFact: _says_invoice,
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


def _key(dates: tuple[datetime | None, datetime | None]) -> tuple[float, ...]:
    return tuple(moment.timestamp() if moment else 0 for moment in dates)
