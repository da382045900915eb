"""Takes one fact into an order's state: in memory, under the order's lock, without a look at the database."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from payments.apply.resolve import Known, Names
from payments.apply.state import OrderState
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.note import Note
from payments.facts import About, DisputeFact, Fact, OrderFact, PaymentFact, RefundFact
from payments.orders.fold import (
    fold_dispute,
    fold_payment,
    fold_refund,
    fold_settlement,
    fold_try,
    pays_without_money,
    phase_of,
)
from payments.orders.models import CheckoutAttempt, ExceptionKind
from payments.orders.purchasables import Question
from payments.statuses import DisputePhase, OrderStatus, RefundStatus

VISIBLE = ("status", "amount_received", "amount_refunded", "dispute_state")


@dataclass(slots=True)
class Taken:
    """What the facts of one event brought about. `changes`: what, before, after."""

    changes: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def take_all(state: OrderState, facts: Iterable[Fact], *, names: Names, found: Known) -> Taken:
    """Take the facts of one event and work out what changed for people to see."""
    taken = Taken()
    before = _visible(state)
    for fact in facts:
        attempt = fact.about.attempt or found.attempt or 1
        _take(state, fact, names=names, attempt=attempt, taken=taken)
    state.settle()
    after = _visible(state)
    taken.changes += [(name, before[name], after[name]) for name in VISIBLE if before[name] != after[name]]
    taken.changes += _superseded(state, facts, moved=bool(taken.changes))
    return taken


def _take(state: OrderState, fact: Fact, *, names: Names, attempt: int, taken: Taken) -> None:
    match fact:
        case OrderFact():
            _take_order_fact(state, fact, attempt=attempt, taken=taken)
        case PaymentFact():
            _is_ours(state, fact.about, attempt=attempt)
            row = state.payments.setdefault(fact.key, Payment(key=fact.key, order=state.order))
            fold_payment(row, fact)
        case RefundFact():
            _take_refund(state, fact, payment=names.payment_of(fact.about), taken=taken)
        case DisputeFact():
            _take_dispute(state, fact, payment=names.payment_of(fact.about), taken=taken)


def _take_order_fact(state: OrderState, fact: OrderFact, *, attempt: int, taken: Taken) -> None:
    order = state.order
    if not _is_ours(state, fact.about, attempt=attempt):
        return
    if fact.status != OrderStatus.PAID:
        fold_try(order, fact, attempt=attempt)
    elif pays_without_money(order, fact):
        fold_settlement(order, fact)
    else:
        detail = f"nothing was collected, {order.amount} {order.currency} are due"
        subject = fact.about.session or f"order:{order.public_id}"
        taken.questions.append(Question(ExceptionKind.AMOUNT_MISMATCH, subject, order.pk, True, detail))


def _is_ours(state: OrderState, about: About, *, attempt: int) -> bool:
    """Whether the session (if one is named) belongs to the order; one whose answer from Stripe was lost is taken in.

    Two sites that share a Stripe account must not close or pay each other's orders.
    """
    sessions = state.sessions()
    if not about.session or about.session in sessions:
        return True
    checkout = state.checkouts.get(attempt)
    if checkout is None and not sessions:
        checkout = CheckoutAttempt(order=state.order, number=attempt, created_at=state.order.created_at)
        state.checkouts[attempt] = checkout
    if checkout is None or checkout.session:
        return False
    checkout.session = about.session
    return True


def _take_refund(state: OrderState, fact: RefundFact, *, payment: str, taken: Taken) -> None:
    row = state.refunds.get(fact.refund)
    if row is None:
        row = state.refunds[fact.refund] = Refund(
            stripe_id=fact.refund, order=state.order, payment=payment, amount=fact.amount, currency=fact.currency,
            status=fact.status, status_at=fact.occurred_at, reason=fact.reason, failure_reason=fact.failure_reason,
        )  # fmt: skip
        _keep_money(state, payment)
        before = ""
    else:
        before = row.status
        if not fold_refund(row, fact):
            return
    if before != row.status:
        taken.changes.append((f"refund {row.stripe_id}", before, row.status))
    if row.status == RefundStatus.FAILED:
        taken.notes.append(_alert("refund_failed", "refund", row.stripe_id, state))


def _take_dispute(state: OrderState, fact: DisputeFact, *, payment: str, taken: Taken) -> None:
    row = state.disputes.get(fact.dispute)
    before = row.status if row else ""
    if row is None:
        row = state.disputes[fact.dispute] = Dispute(
            stripe_id=fact.dispute, order=state.order, payment=payment, amount=fact.amount, currency=fact.currency,
            reason=fact.reason, status=fact.status, phase=phase_of(fact.status), status_at=fact.occurred_at,
            due_by=fact.due_by,
        )  # fmt: skip
    elif not fold_dispute(row, fact):
        return
    if before != row.status:
        taken.changes.append((f"dispute {row.stripe_id}", before, row.status))
    kind = "dispute" if row.phase == DisputePhase.OPEN else "dispute_closed"
    taken.notes.append(_alert(kind, "dispute", row.stripe_id, state, suffix=_phase_suffix(row)))


def _phase_suffix(row: Dispute) -> str:
    return "" if row.phase == DisputePhase.OPEN else f":{DisputePhase(row.phase).name.lower()}"


def _keep_money(state: OrderState, payment: str) -> None:
    """A refund may be heard before its payment: the row waits for the money."""
    state.payments.setdefault(payment, Payment(key=payment, order=state.order))


def _alert(kind: str, noun: str, stripe_id: str, state: OrderState, *, suffix: str = "") -> Note:
    key = f"alert.{kind}:{stripe_id}{suffix}"
    return Note(key=key, kind=f"alert.{kind}", order_id=state.order.pk, data={noun: stripe_id})


def _superseded(state: OrderState, facts: Iterable[Fact], *, moved: bool) -> Iterable[tuple[str, str, str]]:
    """A fact that moved nothing and says otherwise than the order: kept in the history of the try."""
    status = state.order.status
    told = [fact.status for fact in facts if isinstance(fact, OrderFact)]
    return [] if moved else [("superseded", said, status) for said in told if said != status]


def _visible(state: OrderState) -> dict[str, str]:
    return {name: str(getattr(state.order, name)) for name in VISIBLE}
