"""A telling that is the whole truth: what was known is forgotten first, so that too much can be put right as well.

Facts only ever add up, which is right for events: any of them may come late. What Stripe answers when it is asked for
all of something (resync, reconciliation) replaces what it speaks of. Dates stay where what they date stays: an event
knows the moment, a look at Stripe only that it has passed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from payments.apply.resolve import Names
from payments.apply.rows import values_of
from payments.apply.shown import shown
from payments.apply.state import PAYMENT_STATE, MoneyState, OrderState, SubscriptionState
from payments.billing.models import Dispute, Payment, Refund
from payments.billing.subscriptions import Subscription
from payments.facts import (
    BuyerFact,
    DisputeFact,
    Fact,
    InvoiceFact,
    OrderFact,
    PaymentFact,
    RefundFact,
    SubscriptionFact,
)
from payments.orders.fold import undone_of
from payments.orders.models import Order
from payments.statuses import DisputePhase, OrderStatus

TRY = ("tried_status", "tried_attempt", "tried_at")
FAILURE = ("failed_attempt", "failed_at", "failed_charge", "failure_code", "failure_message")
PLACE = ("city", "country", "located_at")
TOLD = ("told_at", "is_birth")
OWNERS = ("customer_id", "order_id")
CLOSED = (OrderStatus.CANCELED, OrderStatus.EXPIRED)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Since = tuple[str, Any]
Change = tuple[str, str, str]


@dataclass(slots=True)
class Memo:
    """What was known before: to be taken back where the truth says the same, or nothing."""

    row: dict[str, Any] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, Since] = field(default_factory=dict)
    disputes: dict[str, Since] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)


def forget(state: MoneyState, facts: Collection[Fact], *, names: Names) -> Memo:
    """Forget what these facts speak of. What they leave out stays known."""
    memo = Memo(shown=shown(state))
    told = {names.payment_of(fact.about) for fact in facts if isinstance(fact, PaymentFact | InvoiceFact)}
    for payment in (state.payments[key] for key in sorted(told & state.payments.keys())):
        memo.payments[payment.key] = values_of(payment, PAYMENT_STATE)
        payment.received = payment.charge_refunded = payment.off_stripe = 0
        payment.session = payment.charge = payment.currency = ""
        payment.paid_at = None
    for fact in facts:
        if isinstance(fact, RefundFact) and (refund := state.refunds.get(fact.refund)):
            memo.refunds[fact.refund] = (refund.status, refund.status_at)
            refund.status, refund.status_at = "", LONG_AGO
        if isinstance(fact, DisputeFact) and (dispute := state.disputes.get(fact.dispute)):
            memo.disputes[fact.dispute] = (dispute.status, dispute.status_at)
            dispute.status, dispute.phase, dispute.status_at = "", DisputePhase.OPEN, LONG_AGO
    if isinstance(state, OrderState):
        _forget_order(state.row, facts, memo)
    else:
        _forget_subscription(state.row, facts, memo)
    return memo


def recall(state: MoneyState, memo: Memo, facts: Collection[Fact], *, names: Names) -> None:
    """Where the truth says what was known, everything about it stays as it was. To be called when it is settled."""
    if isinstance(state, SubscriptionState):
        _recall_subscription(state.row, memo.row)
    else:
        _recall_order(state.row, memo.row, facts)
    for fact in facts:
        if isinstance(fact, RefundFact):
            _name(state.refunds[fact.refund], fact, names)
        if isinstance(fact, DisputeFact):
            _name(state.disputes[fact.dispute], fact, names)
    paid = {fact.about.invoice: fact.paid_at for fact in facts if isinstance(fact, InvoiceFact)}
    for key, payment in state.payments.items():
        if known := memo.payments.get(key):
            _recall_payment(payment, known, state.refunds.values())
        payment.paid_at = _date(payment, known, paid.get(key))
    _recall_dates(state.refunds, memo.refunds)
    _recall_dates(state.disputes, memo.disputes)


def as_known(changes: Iterable[Change], memo: Memo, state: MoneyState) -> list[Change]:
    """The changes seen from what was known before, down to each payment; what is as it was is none."""
    now = shown(state)
    told = [change for change in changes if change[0] not in now]
    names = dict.fromkeys([*memo.shown, *now])
    return told + [
        (name, memo.shown.get(name, ""), now.get(name, ""))
        for name in names
        if memo.shown.get(name, "") != now.get(name, "")
    ]


def _forget_order(row: Order, facts: Collection[Fact], memo: Memo) -> None:
    memo.row = values_of(row, (*TRY, *FAILURE, *PLACE))
    if any(isinstance(fact, OrderFact) and fact.status != OrderStatus.PAID for fact in facts):
        row.tried_status, row.tried_attempt, row.tried_at = OrderStatus.PENDING, 1, None
        row.failed_attempt, row.failed_at, row.failed_charge = 0, None, ""
    if any(isinstance(fact, BuyerFact) for fact in facts):
        row.city, row.country, row.located_at = "", "", None


def _forget_subscription(row: Subscription, facts: Collection[Fact], memo: Memo) -> None:
    if any(isinstance(fact, SubscriptionFact) for fact in facts):
        memo.row = values_of(row, ("fingerprint", "is_doubtful", *TOLD, *OWNERS))
        row.status, row.told_at, row.fingerprint = "", None, ""
        row.customer_id = row.order_id = None
    if any(isinstance(fact, InvoiceFact) for fact in facts):
        row.last_paid_at = row.paid_until = None


def _recall_order(row: Order, known: Mapping[str, Any], facts: Collection[Fact]) -> None:
    """A try that is newer than all that Stripe tells of has only begun here; canceled and expired are both closed."""
    told = max((fact.about.attempt or 1 for fact in facts if isinstance(fact, OrderFact)), default=0)
    is_closed = known["tried_status"] in CLOSED and row.tried_status in CLOSED
    is_same = known["tried_status"] == row.tried_status or is_closed
    if known["tried_attempt"] > told or (is_same and known["tried_attempt"] == row.tried_attempt):
        _set(row, known, TRY)
    if not row.failed_charge:
        _set(row, known, FAILURE)
    elif row.failed_charge == known["failed_charge"]:
        _set(row, known, ("failed_at",))
    if (row.city, row.country) in ((known["city"], known["country"]), ("", "")):
        _set(row, known, PLACE)


def _recall_subscription(row: Subscription, known: Mapping[str, Any]) -> None:
    # Of a doubtful one the later date is what settles the doubt.
    if known and not known["is_doubtful"] and known["fingerprint"] == row.fingerprint:
        _set(row, known, TOLD)
    _set(row, known, [name for name in OWNERS if known and getattr(row, name) is None])


def _recall_payment(payment: Payment, known: Mapping[str, Any], refunds: Iterable[Refund]) -> None:
    """What was not told stays. The charge's total may have counted what failed to go back."""
    if 0 <= known["charge_refunded"] - payment.charge_refunded <= undone_of(payment, refunds):
        payment.charge_refunded = known["charge_refunded"]
    _set(payment, known, [name for name in ("session", "charge", "currency") if not getattr(payment, name)])


def _date(payment: Payment, known: Mapping[str, Any] | None, paid_at: datetime | None) -> datetime | None:
    """When it was paid: as known, unless there was no charge yet, or (`paid_at`) the invoice had been paid already."""
    date = known["paid_at"] if known else None
    if date and (payment.paid_at is None or payment.paid_at <= date <= (paid_at or date)):
        return cast("datetime", date)
    return paid_at or payment.paid_at


def _name(row: Refund | Dispute, fact: RefundFact | DisputeFact, names: Names) -> None:
    row.payment, row.currency, row.reason = names.payment_of(fact.about), fact.currency, fact.reason


def _recall_dates(rows: Mapping[str, Refund] | Mapping[str, Dispute], known: Mapping[str, Since]) -> None:
    for name, (status, since) in known.items():
        if rows[name].status == status:
            rows[name].status_at = since


def _set(row: Order | Subscription | Payment, known: Mapping[str, Any], names: Collection[str]) -> None:
    for name in names:
        setattr(row, name, known[name])
