"""How facts become an order's state, and which questions its money raises.

Every accumulator here only grows, so the order of arrival cannot matter.

docs/adr/0002-order-fold.md
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from payments.billing.models import Dispute, Payment, Refund
from payments.facts import BuyerAddressFact, DisputeFact, FraudWarningFact, OrderFact, PaymentFact, RefundFact
from payments.orders.models import Order
from payments.products import Question, sum_of
from payments.statuses import (
    DISPUTE_PHASES,
    PLAN,
    REFUND_COUNTS,
    REFUND_ORDER,
    REFUND_UNDONE,
    STATUS_ORDER,
    Accepted,
    DisputePhase,
    DisputeState,
    DisputeStatus,
    ExceptionKind,
    OrderStatus,
    dispute_rank,
)

PART_DISPUTED = gettext_noop("%(disputed)s of %(paid)s: the bank holds this part until it has decided.")
PART_LOST = gettext_noop("%(disputed)s of %(paid)s: this part is lost.")
OTHER_AMOUNT = gettext_noop("%(received)s, expected %(due)s")
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
    # An amount and its currency are one thing: two that differ are not mixed.
    payment.currency, payment.received = max((payment.currency, payment.received), (fact.currency, fact.received))
    payment.charge_refunded = max(payment.charge_refunded, fact.refunded)
    payment.paid_at = min(payment.paid_at or fact.occurred_at, fact.occurred_at)
    payment.session = max(payment.session, fact.refs.session)
    payment.charge = max(payment.charge, fact.refs.charge)


def fold_refund(refund: Refund, fact: RefundFact) -> bool:
    """A refund moves up its ranks; the later second decides within one. True if the fact was the greater."""
    refund.made_at = min(filter(None, (refund.made_at, fact.made_at)), default=None)
    known = (_refund_rank(refund.status), _seconds(refund.status_at), refund.status)
    told = (_refund_rank(fact.status), _seconds(fact.occurred_at), fact.status)
    if told <= known:
        return False
    refund.status, refund.status_at, refund.amount = fact.status, fact.occurred_at, fact.amount
    refund.failure_reason, refund.pending_reason = fact.failure_reason, fact.pending_reason
    return True


def _refund_rank(status: str) -> int:
    """ "" is a refund of which all is to be told again (payments.apply.full_refresh)."""
    return REFUND_ORDER[status] if status else -1


def phase_of(fact: DisputeFact) -> DisputePhase:
    """What Stripe's word for a dispute means for the money."""
    return DisputePhase.LOST if fact.took_money else DISPUTE_PHASES[fact.status]


def fold_dispute(dispute: Dispute, fact: DisputeFact) -> bool:
    """A dispute moves up its ranks (a late win is the top). True if the fact was the greater."""
    phase = phase_of(fact)
    fold_days_of_dispute(dispute, fact)
    known = _dispute_key(dispute.status, dispute.phase, dispute.status_at)
    if _dispute_key(fact.status, phase, fact.occurred_at) <= known:
        return False
    dispute.status, dispute.phase, dispute.status_at = fact.status, phase, fact.occurred_at
    dispute.amount, dispute.due_by = fact.amount, fact.due_by
    return True


def fold_days_of_dispute(dispute: Dispute, fact: DisputeFact) -> None:
    """When its money was lost, and won: the earliest of all that say so, superseded ones too."""
    phase = phase_of(fact)
    if phase == DisputePhase.LOST:
        dispute.lost_at = min(dispute.lost_at or fact.occurred_at, fact.occurred_at)
    elif dispute_rank(fact.status, phase) > dispute_rank(DisputeStatus.LOST, DisputePhase.LOST):
        dispute.won_at = min(dispute.won_at or fact.occurred_at, fact.occurred_at)


def fold_fraud_warning(payment: Payment, fact: FraudWarningFact) -> bool:
    """The later second decides; within one, that nothing can be done any more. True if it says something new."""
    known = (_seconds(payment.fraud_told_at), not payment.is_fraud_actionable, payment.fraud_warning)
    if (_seconds(fact.occurred_at), not fact.is_actionable, fact.warning) <= known:
        return False
    before = (payment.fraud_warning, payment.fraud_type, payment.is_fraud_actionable)
    payment.fraud_warning, payment.fraud_type = fact.warning, fact.fraud_type
    payment.fraud_told_at, payment.is_fraud_actionable = fact.occurred_at, fact.is_actionable
    return before != (fact.warning, fact.fraud_type, fact.is_actionable)


def _dispute_key(status: str, phase: int, since: datetime) -> tuple[int, int, int, str]:
    """ "" is a dispute of which all is to be told again (payments.apply.full_refresh)."""
    return dispute_rank(status, phase) if status else -1, _seconds(since), phase, status


def refunded_of(payment: Payment, refunds: Collection[Refund]) -> int:
    """What was given back of a payment: by its refund rows or by its charge's total, whichever says more."""
    counted = sum(refund.amount for refund in _refunds_of(payment, refunds) if refund.status in REFUND_COUNTS)
    return min(payment.received, max(counted, payment.charge_refunded - undone_of(payment, refunds)))


def undone_of(payment: Payment, refunds: Iterable[Refund]) -> int:
    """What was to be given back of a payment and was not: its charge's total may have counted it, at the time."""
    return sum(refund.amount for refund in _refunds_of(payment, refunds) if refund.status in REFUND_UNDONE)


def _refunds_of(payment: Payment, refunds: Iterable[Refund]) -> list[Refund]:
    """Those that speak of its money in its own currency: amounts of two currencies are never added."""
    return [row for row in refunds if row.payment == payment.key and row.currency == payment.currency]


def lost_of(payment: Payment, disputes: Iterable[Dispute]) -> int:
    """What disputes took of a payment for good, beside what was given back."""
    return min(payment.left, _disputed(payment, disputes, DisputePhase.LOST))


def _disputed(payment: Payment, disputes: Iterable[Dispute], *phases: DisputePhase) -> int:
    """So much of the payment is disputed in these phases, in its own currency."""
    return sum(row.amount for row in _disputes_of(payment, disputes) if row.phase in phases)


def _disputes_of(payment: Payment, disputes: Iterable[Dispute]) -> list[Dispute]:
    return [row for row in disputes if row.payment == payment.key and row.currency == payment.currency]


def fits(order: Order, payment: Payment) -> bool:
    """The money is exactly what the order asks for, or staff have said that it will do."""
    if payment.accepted == Accepted.WHOLE:
        return payment.received > 0
    return payment.received == order.amount and payment.currency == order.currency


def is_through_ours(payment: Payment, sessions: Collection[str]) -> bool:
    """It came through one of the order's sessions, or through none, or staff have said that it belongs here."""
    return not payment.session or payment.session in sessions or bool(payment.accepted)


def paying(order: Order, payments: Iterable[Payment], sessions: Collection[str]) -> list[Payment]:
    """The payments that pay this order, the earliest first: right amount, no session of somebody else."""
    mine = [
        payment
        for payment in payments
        if payment.paid_at and fits(order, payment) and is_through_ours(payment, sessions)
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
    """Work out what the accumulators mean: status, dates, amounts in the order's currency, dispute."""
    for payment in payments:
        payment.refunded = refunded_of(payment, refunds)
        payment.lost = lost_of(payment, disputes)
    own = [payment for payment in payments if payment.currency == order.currency]
    order.amount_received = sum(payment.received for payment in own)
    order.amount_refunded = sum(payment.refunded for payment in own)
    pays = paying(order, payments, sessions)
    dates = [date for date in (order.settled_at, *(payment.paid_at for payment in pays)) if date]
    order.paid_at = min(dates, default=None)
    order.dispute_state = _dispute_state(pays, disputes)
    order.status = _status(order, payments)


def _status(order: Order, payments: Iterable[Payment]) -> str:
    """Refunded when nothing is left of anything that came, in whatever currency."""
    if order.paid_at is None:
        return order.attempt_status
    came = [payment for payment in payments if payment.received]
    return OrderStatus.REFUNDED if came and not any(payment.left for payment in came) else OrderStatus.PAID


def _dispute_state(pays: Collection[Payment], disputes: Collection[Dispute]) -> str:
    """Lost when no payment is left that disputes took not as a whole; disputed when each is doubted as a whole."""
    left = [payment for payment in pays if payment.left] or list(pays)
    if left and all(_is_whole(payment, disputes, DisputePhase.LOST) for payment in left):
        return DisputeState.LOST
    if left and all(_is_whole(payment, disputes, DisputePhase.LOST, DisputePhase.OPEN) for payment in left):
        return DisputeState.OPEN
    is_asked = any(_is_whole(payment, disputes, DisputePhase.INQUIRY, least=1) for payment in left)
    return DisputeState.INQUIRY if is_asked else DisputeState.NONE


def _is_whole(payment: Payment, disputes: Iterable[Dispute], *phases: DisputePhase, least: int | None = None) -> bool:
    """Whether nothing, or nothing but what was given back, is left beside what is disputed; or at least so much is."""
    whole = least or payment.left or payment.received
    return 0 < whole <= _disputed(payment, disputes, *phases)


def questions_of(
    order: Order, *, payments: Collection[Payment], disputes: Collection[Dispute], sessions: Collection[str]
) -> Iterable[Question]:
    """What can be wrong with each payment and dispute, open or not: money that went back or is lost asks nothing."""
    pays = paying(order, payments, sessions)
    for payment in payments:
        is_foreign = not is_through_ours(payment, sessions)
        if payment.session:
            is_unknown = payment.here > 0 and is_foreign
            yield Question(ExceptionKind.UNKNOWN_SESSION, payment.session, order.pk, is_unknown, payment.key)
        differs = payment.here > 0 and not is_foreign and not fits(order, payment)
        sums = {"received": sum_of(payment.received, payment.currency), "due": sum_of(order.amount, order.currency)}
        yield Question(ExceptionKind.AMOUNT_MISMATCH, payment.key, order.pk, differs, OTHER_AMOUNT, sums)
        is_double = payment.here > 0 and _comes_second(payment, pays)
        yield Question(ExceptionKind.SECOND_PAYMENT, payment.key, order.pk, is_double, pays[0].key if pays else "")
        for dispute in disputes:
            if dispute.payment == payment.key:
                yield _part_question(order, payment, dispute, disputes)


def _part_question(order: Order, payment: Payment, dispute: Dispute, disputes: Collection[Dispute]) -> Question:
    """A part is never the whole: what becomes of what was bought is for staff, and it stays meanwhile."""
    is_lost = dispute.phase == DisputePhase.LOST
    is_whole = _is_whole(payment, disputes, DisputePhase.LOST, DisputePhase.OPEN)
    is_part = payment.left > 0 and not is_whole and (is_lost or dispute.phase == DisputePhase.OPEN)
    sums = {
        "disputed": sum_of(dispute.amount, dispute.currency), "paid": sum_of(payment.received, payment.currency),
    }  # fmt: skip
    detail = PART_LOST if is_lost else PART_DISPUTED
    return Question(ExceptionKind.PARTLY_DISPUTED, dispute.stripe_id, order.pk, is_part, detail, sums)


def _comes_second(payment: Payment, pays: Sequence[Payment]) -> bool:
    """Whether an earlier payment of the order, whose money is still here, paid it already."""
    return payment in pays and any(earlier.here for earlier in pays[: pays.index(payment)])
