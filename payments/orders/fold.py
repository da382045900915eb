"""How facts become an order's state, and which questions its money raises.

Every accumulator here only grows, so the order of arrival cannot matter.

docs/adr/0002-order-fold.md
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from payments.billing.models import Dispute, Payment, Refund
from payments.facts import BuyerAddressFact, DisputeFact, FraudWarningFact, OrderFact, PaymentFact, RefundFact
from payments.money import sum_of
from payments.orders.models import Order
from payments.products import Question
from payments.statuses import (
    DISPUTE_PHASES,
    PLAN,
    REFUND_COUNTS,
    REFUND_ORDER,
    STATUS_ORDER,
    DisputePhase,
    DisputeState,
    ExceptionKind,
    OrderStatus,
    RefundStatus,
)

OTHER_AMOUNT = gettext_noop("%(received)s, expected %(due)s")
UNDONE = (RefundStatus.FAILED, RefundStatus.CANCELED)
AttemptKey = tuple[int, int, int, int]


def attempt_key(attempt: int, status: str, occurred_at: datetime | None) -> AttemptKey:
    """Where a try stands in the order of things."""
    phase, rank = STATUS_ORDER[status]
    return attempt, phase, _seconds(occurred_at), rank


def _seconds(moment: datetime | None) -> int:
    """Whole seconds, as Stripe counts them; the start is before everything."""
    return int(moment.timestamp()) if moment else 0


def fold_attempt(order: Order, fact: OrderFact, *, attempt: int) -> None:
    """Take the greater of what we knew about the buyer's tries and this fact."""
    if fact.status == OrderStatus.FAILED and fact.refs.charge:
        _fold_failure(order, fact, attempt=attempt)
    known = attempt_key(order.attempt_number, order.attempt_status, order.attempt_at)
    if attempt_key(attempt, fact.status, fact.occurred_at) > known:
        order.attempt_number, order.attempt_status, order.attempt_at = attempt, fact.status, fact.occurred_at


def _fold_failure(order: Order, fact: OrderFact, *, attempt: int) -> None:
    """Why it failed, by the greatest failed charge: a delayed method also fails as a session, which knows no reason."""
    known = (order.failed_attempt, _seconds(order.failed_at), order.failed_charge)
    if (attempt, _seconds(fact.occurred_at), fact.refs.charge) > known:
        order.failed_attempt, order.failed_at, order.failed_charge = attempt, fact.occurred_at, fact.refs.charge
        order.failure_code, order.failure_message = fact.failure.code, fact.failure.message


def pays_without_money(order: Order, fact: OrderFact) -> bool:
    """Nothing to collect settles a free order, or one whose subscription tells of the money itself."""
    return order.kind == PLAN if fact.by_subscription else order.amount == 0


def fold_settlement(order: Order, fact: OrderFact) -> None:
    """Settled without money: the earliest news counts."""
    order.settled_at = min(order.settled_at or fact.occurred_at, fact.occurred_at)


def fold_buyer(order: Order, fact: BuyerAddressFact) -> None:
    """Where the buyer lives: as they told it last."""
    known = (_seconds(order.located_at), order.country, order.city)
    if (_seconds(fact.occurred_at), fact.country, fact.city) > known:
        order.located_at, order.country, order.city = fact.occurred_at, fact.country, fact.city


def fold_payment(payment: Payment, fact: PaymentFact) -> None:
    """Money only grows: the greatest amount, the earliest date. Names do not differ; if they did, the greater stays."""
    payment.currency = max(payment.currency, fact.currency)
    payment.received = max(payment.received, fact.received)
    payment.charge_refunded = max(payment.charge_refunded, fact.refunded)
    payment.paid_at = min(payment.paid_at or fact.occurred_at, fact.occurred_at)
    payment.session = max(payment.session, fact.refs.session)
    payment.charge = max(payment.charge, fact.refs.charge)


def fold_refund(refund: Refund, fact: RefundFact) -> bool:
    """A refund moves up its ranks; the later second decides within one. True if the fact was the greater."""
    known = (REFUND_ORDER.get(refund.status, 0), _seconds(refund.status_at), refund.status)
    told = (REFUND_ORDER.get(fact.status, 0), _seconds(fact.occurred_at), fact.status)
    if told <= known:
        return False
    refund.status, refund.status_at, refund.amount = fact.status, fact.occurred_at, fact.amount
    refund.failure_reason = fact.failure_reason
    return True


def phase_of(status: str) -> DisputePhase:
    """What Stripe's word for a dispute means for us."""
    return DISPUTE_PHASES.get(status, DisputePhase.OPEN)


def fold_dispute(dispute: Dispute, fact: DisputeFact) -> bool:
    """A dispute moves up its phases (a late win is the top). True if the fact was the greater."""
    known = (dispute.phase, _seconds(dispute.status_at), dispute.status)
    told = (phase_of(fact.status), _seconds(fact.occurred_at), fact.status)
    if told <= known:
        return False
    dispute.status, dispute.phase, dispute.status_at = fact.status, phase_of(fact.status), fact.occurred_at
    dispute.amount, dispute.due_by = fact.amount, fact.due_by
    return True


def fold_fraud_warning(payment: Payment, fact: FraudWarningFact) -> bool:
    """The later second decides; within one, that nothing can be done any more. True if the fact was the greater."""
    known = (_seconds(payment.fraud_told_at), not payment.is_fraud_actionable, payment.fraud_warning)
    if (_seconds(fact.occurred_at), not fact.is_actionable, fact.warning) <= known:
        return False
    payment.fraud_warning, payment.fraud_type = fact.warning, fact.fraud_type
    payment.fraud_told_at, payment.is_fraud_actionable = fact.occurred_at, fact.is_actionable
    return True


def refunded_of(payment: Payment, refunds: Collection[Refund]) -> int:
    """What was given back of a payment: by its refund rows or by its charge's total, whichever says more."""
    rows = [refund for refund in refunds if refund.payment == payment.key]
    counted = sum(refund.amount for refund in rows if refund.status in REFUND_COUNTS)
    return min(payment.received, max(counted, payment.charge_refunded - undone_of(payment, refunds)))


def undone_of(payment: Payment, refunds: Iterable[Refund]) -> int:
    """What was to be given back of a payment and was not: its charge's total may have counted it, at the time."""
    return sum(refund.amount for refund in refunds if refund.payment == payment.key and refund.status in UNDONE)


def fits(order: Order, payment: Payment) -> bool:
    """The money is exactly what the order asks for."""
    return payment.received == order.amount and payment.currency == order.currency


def paying(order: Order, payments: Iterable[Payment], sessions: Collection[str]) -> list[Payment]:
    """The payments that pay this order, the earliest first: right amount, no session of somebody else."""
    mine = [
        payment
        for payment in payments
        if payment.paid_at and fits(order, payment) and (not payment.session or payment.session in sessions)
    ]
    return sorted(mine, key=lambda payment: (payment.paid_at, payment.key))


def recompute(
    order: Order,
    *,
    payments: Collection[Payment],
    refunds: Collection[Refund],
    disputes: Collection[Dispute],
    sessions: Collection[str],
) -> None:
    """Work out what the accumulators mean: status, dates, amounts, dispute."""
    for payment in payments:
        payment.refunded = refunded_of(payment, refunds)
    order.amount_received = sum(payment.received for payment in payments)
    order.amount_refunded = sum(payment.refunded for payment in payments)
    pays = paying(order, payments, sessions)
    dates = [date for date in (order.settled_at, *(payment.paid_at for payment in pays)) if date]
    order.paid_at = min(dates, default=None)
    order.dispute_state = _dispute_state(pays, disputes)
    order.status = _status(order)


def _status(order: Order) -> str:
    if order.paid_at is None:
        return order.attempt_status
    nothing_left = order.amount_received > 0 and order.amount_refunded == order.amount_received
    return OrderStatus.REFUNDED if nothing_left else OrderStatus.PAID


def _dispute_state(pays: Collection[Payment], disputes: Collection[Dispute]) -> str:
    """Lost when no payment is left that a dispute did not take; disputed when each of them is doubted."""
    left = {payment.key for payment in pays if payment.left} or {payment.key for payment in pays}
    lost = {dispute.payment for dispute in disputes if dispute.phase == DisputePhase.LOST}
    doubted = lost | {dispute.payment for dispute in disputes if dispute.phase == DisputePhase.OPEN}
    if left and left <= lost:
        return DisputeState.LOST
    return DisputeState.OPEN if left and left <= doubted else DisputeState.NONE


def questions_of(order: Order, *, payments: Collection[Payment], sessions: Collection[str]) -> Iterable[Question]:
    """For each payment the three things that can be wrong with it, open or not: money that went back asks nothing."""
    pays = paying(order, payments, sessions)
    for payment in payments:
        has_money = payment.left > 0
        is_foreign = bool(payment.session) and payment.session not in sessions
        if payment.session:
            is_unknown = has_money and is_foreign
            yield Question(ExceptionKind.UNKNOWN_SESSION, payment.session, order.pk, is_unknown, payment.key)
        differs = has_money and not is_foreign and not fits(order, payment)
        sums = {"received": sum_of(payment.received, payment.currency), "due": sum_of(order.amount, order.currency)}
        yield Question(ExceptionKind.AMOUNT_MISMATCH, payment.key, order.pk, differs, OTHER_AMOUNT, sums)
        is_double = has_money and _comes_second(payment, pays)
        yield Question(ExceptionKind.SECOND_PAYMENT, payment.key, order.pk, is_double, pays[0].key if pays else "")


def _comes_second(payment: Payment, pays: Sequence[Payment]) -> bool:
    """Whether an earlier payment of the order, whose money is still here, paid it already."""
    return payment in pays and any(earlier.left for earlier in pays[: pays.index(payment)])
