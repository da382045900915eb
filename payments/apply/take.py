"""Takes one fact into an order's state: in memory, under the order's lock, without a look at the database."""

from collections.abc import Collection, Iterable

from payments.apply.anew import as_known, forget, recall
from payments.apply.money import Taken, take_dispute, take_refund
from payments.apply.resolve import Known, Names
from payments.apply.state import OrderState
from payments.billing.models import Payment
from payments.facts import About, BuyerFact, DisputeFact, Fact, OrderFact, PaymentFact, RefundFact
from payments.orders.fold import fold_buyer, fold_payment, fold_settlement, fold_try, pays_without_money
from payments.orders.models import CheckoutAttempt, ExceptionKind
from payments.orders.purchasables import Question
from payments.statuses import OrderStatus

VISIBLE = ("status", "amount_received", "amount_refunded", "dispute_state")


def take_all(state: OrderState, facts: Collection[Fact], *, names: Names, found: Known, is_anew: bool = False) -> Taken:
    """Take the facts of one event and work out what changed for people to see. `is_anew`: see payments.apply.anew."""
    taken = Taken()
    before = _visible(state)
    memo = forget(state, facts, names=names) if is_anew else None
    for fact in facts:
        attempt = fact.about.attempt or found.attempt or 1
        _take(state, fact, names=names, attempt=attempt, taken=taken)
    state.settle()
    if memo:
        recall(state, memo, facts, names=names)
        state.settle()
        taken.changes = as_known(taken.changes, memo, state)
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
            take_refund(state, fact, payment=names.payment_of(fact.about), taken=taken)
        case DisputeFact():
            take_dispute(state, fact, payment=names.payment_of(fact.about), taken=taken)
        case BuyerFact():
            fold_buyer(state.order, fact)


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


def _superseded(state: OrderState, facts: Iterable[Fact], *, moved: bool) -> Iterable[tuple[str, str, str]]:
    """A fact that moved nothing and says otherwise than the order: kept in the history of the try."""
    status = state.order.status
    told = [fact.status for fact in facts if isinstance(fact, OrderFact)]
    return [] if moved else [("superseded", said, status) for said in told if said != status]


def _visible(state: OrderState) -> dict[str, str]:
    return {name: str(getattr(state.order, name)) for name in VISIBLE}
