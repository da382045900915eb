"""Takes one fact into a subscription's state: in memory, under its lock, without a look at the database."""

from collections.abc import Collection
from datetime import timedelta

from payments.apply.adopt import Adopted
from payments.apply.anew import as_known, forget, recall
from payments.apply.money import Taken, order_id_of, take_dispute, take_refund
from payments.apply.resolve import Names
from payments.apply.state import SubscriptionState
from payments.billing.fold import fold_paid_invoice, fold_subscription, plan_of
from payments.billing.models import Payment
from payments.billing.subscriptions import Plan, Subscription
from payments.effects.note import Note
from payments.facts import (
    About,
    AppealFact,
    BeganFact,
    DisputeFact,
    Fact,
    InvoiceFact,
    PaymentFact,
    RefundFact,
    SubscriptionFact,
)
from payments.orders.fold import fold_payment

# The bank's question fails the same try: its own mail says what to do, and comes first.
PATIENCE = timedelta(minutes=5)
VISIBLE = ("status", "amount", "period_end", "cancel_at", "ended_at")


def take_of_subscription(
    state: SubscriptionState, facts: Collection[Fact], *, names: Names, adopted: Adopted, is_anew: bool = False
) -> Taken:
    """Take the facts of one event and work out what changed for people to see. `is_anew`: see payments.apply.anew."""
    taken = Taken()
    before = _visible(state, adopted.plans)
    memo = forget(state, facts, names=names) if is_anew else None
    for fact in facts:
        _take(state, fact, names=names, adopted=adopted, taken=taken)
    state.settle()
    if memo:
        recall(state, memo, facts, names=names)
        state.settle()
        taken.changes = as_known(taken.changes, memo, state)
    after = _visible(state, adopted.plans)
    known = {name: before.get(name, "") for name in after}
    said = {name for name, _before, _after in taken.changes}
    taken.changes += [
        (name, known[name], told) for name, told in after.items() if known[name] != told and name not in said
    ]
    return taken


def _take(state: SubscriptionState, fact: Fact, *, names: Names, adopted: Adopted, taken: Taken) -> None:
    match fact:
        case SubscriptionFact() | BeganFact():
            _take_subscription(state, fact, names=names, adopted=adopted)
        case InvoiceFact():
            _take_customer(state.row, fact.about, adopted)
            _take_invoice(state, fact)
        case PaymentFact():
            _take_payment(state, fact, key=names.payment_of(fact.about))
        case RefundFact():
            take_refund(state, fact, payment=names.payment_of(fact.about), taken=taken)
        case DisputeFact():
            take_dispute(state, fact, payment=names.payment_of(fact.about), taken=taken)
        case AppealFact():
            taken.notes.append(_appeal(state, fact))


def _take_subscription(
    state: SubscriptionState, fact: SubscriptionFact | BeganFact, *, names: Names, adopted: Adopted
) -> None:
    """Whose it is and which order began it never change; the rest is as it was told last."""
    row = state.row
    _take_customer(row, fact.about, adopted)
    if row.order_id is None and (order := names.known.get(f"order:{fact.order}")):
        row.order_id = order.order_id
    if isinstance(fact, SubscriptionFact) and fold_subscription(row, fact):
        row.plan = plan_of(row, adopted.plans, slug=fact.plan)


def _take_customer(row: Subscription, about: About, adopted: Adopted) -> None:
    """Whoever it belonged to first: an invoice that overtakes the subscription names them as well."""
    if row.customer_id is None and (customer := adopted.customers.get(about.customer)):
        row.customer = customer


def _take_invoice(state: SubscriptionState, fact: InvoiceFact) -> None:
    """Money once per invoice, whatever else tells of it; what costs nothing moves none."""
    fold_paid_invoice(state.row, fact)
    if fact.paid_at is None or fact.received == 0:
        return
    money = PaymentFact(fact.about, received=fact.received, currency=fact.currency, occurred_at=fact.paid_at)
    row = _take_payment(state, money, key=fact.about.invoice)
    row.off_stripe = max(row.off_stripe, fact.off_stripe)


def _take_payment(state: SubscriptionState, fact: PaymentFact, *, key: str) -> Payment:
    row = state.payments.setdefault(key, Payment(key=key, **state.owner))
    fold_payment(row, fact)
    return row


def _appeal(state: SubscriptionState, fact: AppealFact) -> Note:
    """One message per kind and invoice, however often Stripe repeats itself."""
    about = fact.about.invoice or state.row.stripe_id
    data = {
        "subscription": state.row.stripe_id,
        "invoice": fact.about.invoice,
        "next_try_at": fact.next_try_at.isoformat() if fact.next_try_at else "",
        "reason": fact.reason,
    }
    kind = f"alert.{fact.kind}" if fact.kind == "finalization_failed" else f"subscription.{fact.kind}"
    patience = PATIENCE if fact.kind == "payment_failed" else timedelta(0)
    return Note(
        key=f"{kind}:{about}", kind=kind, order_id=order_id_of(state), data=data,
        not_before=fact.occurred_at + patience, subscription_id=state.row.pk,
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
