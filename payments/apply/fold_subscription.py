"""Folds facts into a locked subscription: in memory, under its lock, without a look at the database."""

from collections.abc import Collection
from datetime import timedelta

from payments.apply.fold import (
    Folded,
    ask_about_fraud,
    fold_dispute_fact,
    fold_fraud_warning_fact,
    fold_refund_fact,
)
from payments.apply.full_refresh import changes_since, reset, restore_unchanged
from payments.apply.locked_rows import SubscriptionState
from payments.apply.references import ClaimedRows, ReferenceMap
from payments.billing.fold import fold_paid_invoice, fold_plan, fold_subscription, plans_of, running_payments, seconds
from payments.billing.models import Payment, Plan, Subscription
from payments.effects.enqueue import EffectRequest
from payments.facts import (
    DisputeFact,
    Fact,
    FraudWarningFact,
    InvoiceFact,
    ObjectRefs,
    PaymentFact,
    RefundFact,
    SubscriptionFact,
    SubscriptionNoticeFact,
    SubscriptionStartedFact,
)
from payments.names import ORDER
from payments.orders.buyer_messages import period_went_back
from payments.orders.fold import fold_payment

# The bank's question fails the same attempt: its own mail says what to do, and comes first.
PAYMENT_FAILED_MAIL_DELAY = timedelta(minutes=5)
VISIBLE = ("status", "amount", "period_end", "cancel_at", "ended_at", "pause", "money_back")
ENDED_MAIL = "subscription.access_ended"


def fold_subscription_facts(
    state: SubscriptionState,
    facts: Collection[Fact],
    *,
    names: ReferenceMap,
    claimed: ClaimedRows,
    is_full_snapshot: bool = False,
) -> Folded:
    """Fold the facts of one set and work out what changed for people to see. `is_full_snapshot`: see full_refresh."""
    folded = Folded()
    before, had_money = _visible(state, claimed.plans), not state.row.money_back
    refunded = {key: payment.refunded for key, payment in state.payments.items()}
    known_before = reset(state, facts, names=names) if is_full_snapshot else None
    for fact in facts:
        _fold_fact(state, fact, names=names, claimed=claimed, folded=folded)
    state.recompute()
    if known_before:
        restore_unchanged(state, known_before, facts, names=names)
        state.recompute()
        folded.changes = changes_since(folded.changes, known_before, state)
    ask_about_fraud(state, folded)
    folded.effects += [
        period_went_back(state.row, payment, state.refunds.values())
        for key, payment in sorted(state.payments.items())
        if payment.refunded > refunded.get(key, 0)
    ]
    if state.row.money_back and had_money:
        folded.effects.append(_access_ended(state))
    after = _visible(state, claimed.plans)
    known = {name: before.get(name, "") for name in after}
    said = {name for name, _before, _after in folded.changes}
    folded.changes += [
        (name, known[name], told) for name, told in after.items() if known[name] != told and name not in said
    ]
    return folded


def _fold_fact(
    state: SubscriptionState, fact: Fact, *, names: ReferenceMap, claimed: ClaimedRows, folded: Folded
) -> None:
    match fact:
        case SubscriptionFact() | SubscriptionStartedFact():
            _fold_subscription_fact(state, fact, names=names, claimed=claimed)
        case InvoiceFact():
            _set_customer(state.row, fact.refs, claimed)
            _fold_invoice(state, fact)
        case PaymentFact():
            _fold_payment(state, fact, key=names.payment_of(fact.refs))
        case RefundFact():
            fold_refund_fact(state, fact, payment=names.payment_of(fact.refs), folded=folded)
        case DisputeFact():
            fold_dispute_fact(state, fact, payment=names.payment_of(fact.refs), folded=folded)
        case FraudWarningFact():
            fold_fraud_warning_fact(state, fact, payment=names.payment_of(fact.refs), folded=folded)
        case SubscriptionNoticeFact():
            folded.effects.append(_notice(state, fact))


def _fold_subscription_fact(
    state: SubscriptionState,
    fact: SubscriptionFact | SubscriptionStartedFact,
    *,
    names: ReferenceMap,
    claimed: ClaimedRows,
) -> None:
    """Whose it is and which order began it never change; the rest is as it was told last."""
    row = state.row
    _set_customer(row, fact.refs, claimed)
    if row.order_id is None and (order := names.known.get(f"{ORDER}{fact.order}")):
        row.order_id = order.order_id
    if isinstance(fact, SubscriptionFact):
        fold_subscription(row, fact, claimed.plans)
        fold_plan(row, fact, claimed.plans)
    held = plans_of(row, claimed.plans, order_plan=claimed.plans_of_orders.get(row.order_id or 0))
    row.plan, row.further_plans = held[0] if held else None, [plan.pk for plan in held[1:]]


def _set_customer(row: Subscription, refs: ObjectRefs, claimed: ClaimedRows) -> None:
    """Whoever it belonged to first: an invoice that overtakes the subscription names them as well."""
    if row.customer_id is None and (customer := claimed.customers.get(refs.customer)):
        row.customer = customer


def _fold_invoice(state: SubscriptionState, fact: InvoiceFact) -> None:
    """Money once per invoice, whatever else tells of it; what costs nothing moves none."""
    fold_paid_invoice(state.row, fact)
    if fact.paid_at is None or fact.received == 0:
        return
    money = PaymentFact(fact.refs, received=fact.received, currency=fact.currency, occurred_at=fact.paid_at)
    row = _fold_payment(state, money, key=fact.refs.invoice)
    row.off_stripe = max(row.off_stripe, fact.off_stripe)
    if fact.period_end and seconds(fact.period_end) >= seconds(row.period_end):
        row.period_start, row.period_end = fact.period_start, fact.period_end


def _fold_payment(state: SubscriptionState, fact: PaymentFact, *, key: str) -> Payment:
    row = state.payments.setdefault(key, Payment(key=key, **state.owner))
    fold_payment(row, fact)
    return row


def _notice(state: SubscriptionState, fact: SubscriptionNoticeFact) -> EffectRequest:
    """One message per kind and invoice, however often Stripe repeats itself."""
    refs = fact.refs.invoice or state.row.stripe_id
    data = {
        "subscription": state.row.stripe_id,
        "invoice": fact.refs.invoice,
        "next_try_at": fact.next_try_at.isoformat() if fact.next_try_at else "",
        "reason": fact.reason,
    }
    kind = f"alert.{fact.kind}" if fact.kind == "finalization_failed" else f"subscription.{fact.kind}"
    delay = PAYMENT_FAILED_MAIL_DELAY if fact.kind == "payment_failed" else timedelta(0)
    return EffectRequest(
        key=f"{kind}:{refs}", kind=kind, order_id=state.order_id, data=data,
        not_before=fact.occurred_at + delay, subscription_id=state.row.pk,
    )  # fmt: skip


def _access_ended(state: SubscriptionState) -> EffectRequest:
    """The subscriber is told once for each payment that went back, and why."""
    row = state.row
    payment = running_payments(row, state.payments.values())[-1]
    return EffectRequest(
        key=f"{ENDED_MAIL}:{payment.key}:{row.money_back}", kind=ENDED_MAIL, order_id=state.order_id,
        data={"subscription": row.stripe_id, "payment": payment.key}, subscription_id=row.pk,
    )  # fmt: skip


def _visible(state: SubscriptionState, plans: Collection[Plan]) -> dict[str, str]:
    """What the history tells: the subscription's own values, and the money of each payment."""
    row = state.row
    shown = {name: _word(getattr(row, name)) for name in VISIBLE}
    shown["plan"] = next((plan.slug for plan in plans if plan.pk == row.plan_id), "")
    for payment in state.payments.values():
        shown[f"paid {payment.key}"] = _word(payment.received)
        shown[f"refunded {payment.key}"] = _word(payment.refunded or "")
    return shown


def _word(value: object) -> str:
    return "" if value is None else str(value)
