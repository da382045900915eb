"""Folds facts into a locked order or customer: in memory, under the row's lock, without a look at the database."""

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from payments.apply.full_refresh import changes_since, reset, restore_unchanged
from payments.apply.locked_rows import MoneyState, OrderState, values_of
from payments.apply.references import Match, ReferenceMap
from payments.billing.fold import fold_customer
from payments.billing.models import Customer, Dispute, Payment, Refund
from payments.effects.enqueue import EffectRequest
from payments.facts import (
    BuyerAddressFact,
    CustomerFact,
    DisputeFact,
    Fact,
    FraudWarningFact,
    ObjectRefs,
    OrderFact,
    PaymentFact,
    RefundFact,
)
from payments.names import ORDER
from payments.orders.buyer_messages import money_went_back, payment_taken_back, refund_failed
from payments.orders.fold import (
    fold_attempt,
    fold_buyer,
    fold_days_of_dispute,
    fold_dispute,
    fold_fraud_warning,
    fold_payment,
    fold_refund,
    fold_settlement,
    pays_without_money,
    phase_of,
)
from payments.orders.models import CheckoutAttempt
from payments.products import Question, Value, sum_of
from payments.statuses import (
    WAITS_FOR_FUNDS,
    DisputePhase,
    DisputeStatus,
    ExceptionKind,
    OrderStatus,
    RefundStatus,
)

NOTHING_COLLECTED = gettext_noop("Nothing was collected, %(due)s are due.")
FRAUD_WARNED = gettext_noop("%(amount)s: the card network reports %(kind)s (%(warning)s).")
# What people see of a change; the rest is how we came to know it.
VISIBLE_OF_ORDER = ("status", "amount_received", "amount_refunded", "dispute_state")
VISIBLE_OF_CUSTOMER = ("email", "name", "city", "country")
CUSTOMER_STATE = ("email", "name", "stripe_updated_at", "city", "country", "located_at", "deleted_at")


@dataclass(slots=True)
class Folded:
    """What the facts of one set brought about. `changes`: what, before, after."""

    changes: list[tuple[str, str, str]] = field(default_factory=list)
    effects: list[EffectRequest] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def add(self, other: "Folded") -> None:
        """Take in what other facts of the same set brought about."""
        self.changes += other.changes
        self.effects += other.effects
        self.questions += other.questions


def fold_order_facts(
    state: OrderState, facts: Collection[Fact], *, names: ReferenceMap, match: Match, is_full_snapshot: bool = False
) -> Folded:
    """Fold the facts of one set and work out what changed for people to see. `is_full_snapshot`: see full_refresh."""
    folded = Folded()
    before = _visible(state)
    known_before = reset(state, facts, names=names) if is_full_snapshot else None
    for fact in facts:
        attempt = fact.refs.attempt or match.attempt or 1
        _fold_fact(state, fact, names=names, attempt=attempt, folded=folded)
    state.recompute()
    if known_before:
        restore_unchanged(state, known_before, facts, names=names)
        state.recompute()
        folded.changes = changes_since(folded.changes, known_before, state)
    ask_about_fraud(state, folded)
    after = _visible(state)
    folded.changes += [(name, before[name], after[name]) for name in VISIBLE_OF_ORDER if before[name] != after[name]]
    folded.changes += _superseded(state, facts, moved=bool(folded.changes))
    if int(after["amount_refunded"]) > int(before["amount_refunded"]) and state.order.status != OrderStatus.REFUNDED:
        folded.effects.append(money_went_back(state.order, state.refunds.values()))
    return folded


def _fold_fact(state: OrderState, fact: Fact, *, names: ReferenceMap, attempt: int, folded: Folded) -> None:
    match fact:
        case OrderFact():
            _fold_order_fact(state, fact, attempt=attempt, folded=folded)
        case PaymentFact():
            _is_ours(state, fact.refs, attempt=attempt)
            row = state.payments.setdefault(fact.key, Payment(key=fact.key, order=state.order))
            fold_payment(row, fact)
        case RefundFact():
            fold_refund_fact(state, fact, payment=names.payment_of(fact.refs), folded=folded)
        case DisputeFact():
            fold_dispute_fact(state, fact, payment=names.payment_of(fact.refs), folded=folded)
        case FraudWarningFact():
            fold_fraud_warning_fact(state, fact, payment=names.payment_of(fact.refs), folded=folded)
        case BuyerAddressFact():
            fold_buyer(state.order, fact)


def _fold_order_fact(state: OrderState, fact: OrderFact, *, attempt: int, folded: Folded) -> None:
    order = state.order
    if not _is_ours(state, fact.refs, attempt=attempt):
        return
    if fact.status != OrderStatus.PAID:
        fold_attempt(order, fact, attempt=attempt)
        _end_used_up(state, fact, attempt=attempt)
    elif pays_without_money(order, fact):
        fold_settlement(order, fact)
    else:
        subject = fact.refs.session or f"{ORDER}{order.public_id}"
        due = {"due": sum_of(order.amount, order.currency)}
        folded.questions.append(
            Question(ExceptionKind.AMOUNT_MISMATCH, subject, order.pk, True, NOTHING_COLLECTED, due)
        )


def _end_used_up(state: OrderState, fact: OrderFact, *, attempt: int) -> None:
    """A session that says itself that its delayed payment failed is used up: nobody can pay there any more."""
    checkout = state.checkouts.get(attempt)
    if checkout and fact.status == OrderStatus.FAILED and fact.refs.session and fact.refs.session == checkout.session:
        checkout.expires_at = min(checkout.expires_at or fact.occurred_at, fact.occurred_at)


def _is_ours(state: OrderState, refs: ObjectRefs, *, attempt: int) -> bool:
    """Whether the session (if one is named) belongs to the order; one whose answer from Stripe was lost is taken in.

    Two sites that share a Stripe account must not close or pay each other's orders.
    """
    sessions = state.sessions()
    if not refs.session or refs.session in sessions:
        return True
    checkout = state.checkouts.get(attempt)
    if checkout is None and not sessions:
        checkout = CheckoutAttempt(order=state.order, number=attempt, created_at=state.order.created_at)
        state.checkouts[attempt] = checkout
    if checkout is None or checkout.session:
        return False
    checkout.session = refs.session
    return True


def _superseded(state: OrderState, facts: Iterable[Fact], *, moved: bool) -> Iterable[tuple[str, str, str]]:
    """A fact that moved nothing and says otherwise than the order: kept in the history of the attempt."""
    status = state.order.status
    told = [fact.status for fact in facts if isinstance(fact, OrderFact)]
    return [] if moved else [("superseded", said, status) for said in told if said != status]


def _visible(state: OrderState) -> dict[str, str]:
    return {name: str(getattr(state.order, name)) for name in VISIBLE_OF_ORDER}


# Money, of orders and subscriptions alike.


def fold_refund_fact(state: MoneyState, fact: RefundFact, *, payment: str, folded: Folded) -> None:
    row = state.refunds.get(fact.refund)
    if row is None:
        row = state.refunds[fact.refund] = Refund(
            stripe_id=fact.refund, payment=payment, amount=fact.amount, currency=fact.currency,
            status=fact.status, status_at=fact.occurred_at, reason=fact.reason, failure_reason=fact.failure_reason,
            pending_reason=fact.pending_reason, made_at=fact.made_at, **state.owner,
        )  # fmt: skip
        _keep_money(state, payment)
        before = ""
    else:
        before = row.status
        if not fold_refund(row, fact):
            return
    if before != row.status:
        folded.changes.append((f"refund {row.stripe_id}", before, row.status))
    folded.effects += _refund_alerts(row, state)


def _refund_alerts(row: Refund, state: MoneyState) -> list[EffectRequest]:
    """Of money that did not reach the buyer, and of money that cannot leave: once for each stage."""
    if row.status == RefundStatus.FAILED:
        return [_alert("refund_failed", "refund", row.stripe_id, state), refund_failed(state.row, row.stripe_id)]
    if row.status == RefundStatus.CANCELED:
        return [_alert("refund_failed", "refund", row.stripe_id, state, suffix=":canceled")]
    if row.status == RefundStatus.PENDING and row.pending_reason == WAITS_FOR_FUNDS:
        return [_alert("refund_waits", "refund", row.stripe_id, state)]
    return []


def fold_dispute_fact(state: MoneyState, fact: DisputeFact, *, payment: str, folded: Folded) -> None:
    row = state.disputes.get(fact.dispute)
    before = copy(row)
    if row is None:
        row = state.disputes[fact.dispute] = Dispute(
            stripe_id=fact.dispute, payment=payment, amount=fact.amount, currency=fact.currency,
            reason=fact.reason, status=fact.status, phase=phase_of(fact), status_at=fact.occurred_at,
            due_by=fact.due_by, **state.owner,
        )  # fmt: skip
        fold_days_of_dispute(row, fact)
    elif not fold_dispute(row, fact):
        return
    status_before = before.status if before else ""
    if status_before != row.status:
        folded.changes.append((f"dispute {row.stripe_id}", status_before, row.status))
    kind = "dispute_closed" if row.is_decided else "dispute"
    suffix = _ended(row) if row.is_decided else _stage(row, before)
    folded.effects.append(_alert(kind, "dispute", row.stripe_id, state, suffix=suffix))
    if row.phase == DisputePhase.LOST:
        folded.effects.append(payment_taken_back(state.row, row.stripe_id))


def fold_fraud_warning_fact(state: MoneyState, fact: FraudWarningFact, *, payment: str, folded: Folded) -> None:
    _keep_money(state, payment)
    row = state.payments[payment]
    before = _warning_of(row)
    if fold_fraud_warning(row, fact):
        folded.changes.append((f"fraud {row.fraud_warning}", before, _warning_of(row)))


def _warning_of(row: Payment) -> str:
    return row.fraud_type if row.is_fraud_actionable or not row.fraud_type else f"{row.fraud_type} closed"


def ask_about_fraud(state: MoneyState, folded: Folded) -> None:
    """Staff are asked, and told once, as long as money of which a card network warns can be given back in time."""
    for row in state.payments.values():
        if row.fraud_warning:
            is_open = row.has_open_warning(state.disputes.values())
            money = sum_of(row.here, row.currency)
            values: dict[str, Value] = {"amount": money, "kind": row.fraud_type, "warning": row.fraud_warning}
            question = Question(
                ExceptionKind.FRAUD_WARNING, row.key, state.order_id, is_open, FRAUD_WARNED, values,
                state.subscription_id,
            )  # fmt: skip
            folded.questions.append(question)
            folded.effects += [_alert("fraud_warning", "payment", row.key, state)] if is_open else []


def _ended(row: Dispute) -> str:
    """How a dispute ended; the end of an inquiry is not that of the chargeback which may follow."""
    is_inquiry = row.status == DisputeStatus.WARNING_CLOSED
    return ":inquiry_closed" if is_inquiry else f":{DisputePhase(row.phase).name.lower()}"


def _stage(row: Dispute, before: Dispute | None) -> str:
    """What makes another message of the same dispute: an inquiry, what follows it, an appeal, another deadline."""
    was_waiting = before is not None and before.phase == row.phase and not before.is_decided
    stage = ""
    if row.is_inquiry:
        stage = ":inquiry"
    elif row.phase == DisputePhase.LOST:
        stage = ":appeal"
    elif before and before.phase in (DisputePhase.INQUIRY, DisputePhase.CLOSED):
        stage = ":chargeback"
    # A look at Stripe tells all anew (full_refresh): what was not known before it may only have been lost here.
    was_known = before is not None and bool(before.due_by or before.status)
    is_moved = before and was_waiting and was_known and row.due_by and row.due_by != before.due_by
    return f"{stage}:{row.due_by:%Y-%m-%d}" if is_moved else stage


def _keep_money(state: MoneyState, payment: str) -> None:
    """A refund may be heard before its payment: the row waits for the money."""
    state.payments.setdefault(payment, Payment(key=payment, **state.owner))


def _alert(kind: str, noun: str, stripe_id: str, state: MoneyState, *, suffix: str = "") -> EffectRequest:
    key = f"alert.{kind}:{stripe_id}{suffix}"
    return EffectRequest(
        key=key, kind=f"alert.{kind}", order_id=state.order_id, data={noun: stripe_id},
        subscription_id=state.subscription_id,
    )  # fmt: skip


# People.


def fold_customer_facts(row: Customer | None, facts: Iterable[Fact], *, is_full_snapshot: bool = False) -> Folded:
    """Fold the facts of one set and work out what changed for people to see. `is_full_snapshot`: see full_refresh."""
    folded = Folded()
    if row is None:
        return folded
    known, was_deleted = values_of(row, CUSTOMER_STATE), row.deleted_at is not None
    before = values_of(row, VISIBLE_OF_CUSTOMER)
    for fact in facts:
        if isinstance(fact, CustomerFact):
            fold_customer(row, fact)
    if is_full_snapshot:
        _restore_dates_of_customer(row, known)
    after = values_of(row, VISIBLE_OF_CUSTOMER)
    folded.changes = [(name, before[name], after[name]) for name in VISIBLE_OF_CUSTOMER if before[name] != after[name]]
    if row.deleted_at is not None and not was_deleted:
        folded.changes.append(("deleted", "", str(row.deleted_at.date())))
    return folded


def _restore_dates_of_customer(row: Customer, known: Mapping[str, Any]) -> None:
    """What a look at Stripe tells as it was known is dated as it was."""
    if (row.email, row.name) == (known["email"], known["name"]):
        row.stripe_updated_at = known["stripe_updated_at"]
    if (row.city, row.country) == (known["city"], known["country"]):
        row.located_at = known["located_at"]
