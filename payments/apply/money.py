"""Takes what is told about refunds and disputes, whoever the money belongs to."""

from dataclasses import dataclass, field

from payments.apply.state import MoneyState, OrderState
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.note import Note
from payments.facts import DisputeFact, RefundFact
from payments.orders.fold import fold_dispute, fold_refund, phase_of
from payments.orders.purchasables import Question
from payments.statuses import DisputePhase, RefundStatus


@dataclass(slots=True)
class Taken:
    """What the facts of one event brought about. `changes`: what, before, after."""

    changes: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def add(self, other: "Taken") -> None:
        """Take in what other facts of the same event brought about."""
        self.changes += other.changes
        self.notes += other.notes
        self.questions += other.questions


def take_refund(state: MoneyState, fact: RefundFact, *, payment: str, taken: Taken) -> None:
    row = state.refunds.get(fact.refund)
    if row is None:
        row = state.refunds[fact.refund] = Refund(
            stripe_id=fact.refund, payment=payment, amount=fact.amount, currency=fact.currency,
            status=fact.status, status_at=fact.occurred_at, reason=fact.reason, failure_reason=fact.failure_reason,
            **state.owner,
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


def take_dispute(state: MoneyState, fact: DisputeFact, *, payment: str, taken: Taken) -> None:
    row = state.disputes.get(fact.dispute)
    before = row.status if row else ""
    if row is None:
        row = state.disputes[fact.dispute] = Dispute(
            stripe_id=fact.dispute, payment=payment, amount=fact.amount, currency=fact.currency,
            reason=fact.reason, status=fact.status, phase=phase_of(fact.status), status_at=fact.occurred_at,
            due_by=fact.due_by, **state.owner,
        )  # fmt: skip
    elif not fold_dispute(row, fact):
        return
    if before != row.status:
        taken.changes.append((f"dispute {row.stripe_id}", before, row.status))
    kind = "dispute" if row.phase == DisputePhase.OPEN else "dispute_closed"
    taken.notes.append(_alert(kind, "dispute", row.stripe_id, state, suffix=_phase_suffix(row)))


def _phase_suffix(row: Dispute) -> str:
    return "" if row.phase == DisputePhase.OPEN else f":{DisputePhase(row.phase).name.lower()}"


def _keep_money(state: MoneyState, payment: str) -> None:
    """A refund may be heard before its payment: the row waits for the money."""
    state.payments.setdefault(payment, Payment(key=payment, **state.owner))


def _alert(kind: str, noun: str, stripe_id: str, state: MoneyState, *, suffix: str = "") -> Note:
    key = f"alert.{kind}:{stripe_id}{suffix}"
    return Note(
        key=key, kind=f"alert.{kind}", order_id=order_id_of(state), data={noun: stripe_id},
        subscription_id=subscription_id_of(state),
    )  # fmt: skip


def order_id_of(state: MoneyState) -> int | None:
    """The order to which an effect belongs: a subscription's is the one that began it."""
    return state.row.pk if isinstance(state, OrderState) else state.row.order_id


def subscription_id_of(state: MoneyState) -> int | None:
    """The subscription to which an effect belongs, if it is about one."""
    return None if isinstance(state, OrderState) else state.row.pk
