"""Facts that are all that Stripe knows: what was known is reset first, so that too much can be put right as well.

Facts only ever add up, which is right for events: any of them may come late. What Stripe answers when it is asked for
all of something (resync, reconciliation) replaces what it speaks of. Dates stay where what they date stays: an event
knows the moment, a look at Stripe only that it has passed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from payments.apply.locked_rows import PAYMENT_STATE, MoneyState, OrderState, SubscriptionState, values_of
from payments.apply.references import ReferenceMap
from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.facts import (
    BuyerAddressFact,
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
from payments.statuses import CLOSED_STATUSES, DisputePhase, OrderStatus

ATTEMPT_FIELDS = ("attempt_status", "attempt_number", "attempt_at")
FAILURE_FIELDS = ("failed_attempt", "failed_at", "failed_charge", "failure_code", "failure_message")
ADDRESS_FIELDS = ("city", "country", "located_at")
UPDATE_FIELDS = ("stripe_updated_at", "from_created_event")
OWNER_FIELDS = ("customer_id", "order_id")
DISPUTE_DAYS = ("lost_at", "won_at")
UNKNOWN_DAYS = dict.fromkeys(DISPUTE_DAYS)
# What the history holds of one value, in characters.
VALUE_LENGTH = 255
# What the history does not show by itself (VISIBLE in fold.py and fold_subscription.py).
ORDER_DETAILS = ("paid_at", "settled_at", "city", "country", "attempt_status", "attempt_number", "failure_code")
SUBSCRIPTION_DETAILS = (
    "price", "currency", "interval", "interval_count", "quantity", "started_at", "period_start", "trial_end",
    "canceled_at", "customer_id", "order_id", "last_paid_at", "paid_until", "prices", "resumes_at", "days_until_due",
)  # fmt: skip
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Since = tuple[str, Any]
Change = tuple[str, str, str]


@dataclass(slots=True)
class Before:
    """What was known before the reset: restored where Stripe says the same of it, or nothing."""

    row: dict[str, Any] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, Since] = field(default_factory=dict)
    disputes: dict[str, Since] = field(default_factory=dict)
    dispute_days: dict[str, dict[str, Any]] = field(default_factory=dict)
    described: dict[str, str] = field(default_factory=dict)


def reset(state: MoneyState, facts: Collection[Fact], *, names: ReferenceMap) -> Before:
    """Reset what these facts speak of; what they leave out stays. Returns how it was."""
    known_before = Before(described=describe(state))
    told = {names.payment_of(fact.refs) for fact in facts if isinstance(fact, PaymentFact | InvoiceFact)}
    for payment in (state.payments[key] for key in sorted(told & state.payments.keys())):
        known_before.payments[payment.key] = values_of(payment, PAYMENT_STATE)
        payment.received = payment.charge_refunded = payment.off_stripe = 0
        payment.session = payment.charge = payment.currency = ""
        payment.paid_at = payment.period_start = payment.period_end = None
    for fact in facts:
        if isinstance(fact, RefundFact) and (refund := state.refunds.get(fact.refund)):
            known_before.refunds[fact.refund] = (refund.status, refund.status_at)
            refund.status, refund.status_at = "", LONG_AGO
        if isinstance(fact, DisputeFact) and (dispute := state.disputes.get(fact.dispute)):
            known_before.disputes[fact.dispute] = (dispute.status, dispute.status_at)
            known_before.dispute_days[fact.dispute] = values_of(dispute, DISPUTE_DAYS)
            dispute.status, dispute.phase, dispute.status_at = "", DisputePhase.OPEN, LONG_AGO
    if isinstance(state, OrderState):
        _reset_order(state.row, facts, known_before)
    else:
        _reset_subscription(state.row, facts, known_before)
    return known_before


def restore_unchanged(state: MoneyState, known_before: Before, facts: Collection[Fact], *, names: ReferenceMap) -> None:
    """Where Stripe says what was known, everything about it stays as it was. To be called on a recomputed state."""
    if isinstance(state, SubscriptionState):
        _restore_subscription(state.row, known_before.row)
    else:
        _restore_order(state.row, known_before.row, facts)
    for fact in facts:
        if isinstance(fact, RefundFact):
            _set_names(state.refunds[fact.refund], fact, names)
        if isinstance(fact, DisputeFact):
            dispute = state.disputes[fact.dispute]
            _set_names(dispute, fact, names)
            _set_values(dispute, known_before.dispute_days.get(fact.dispute, UNKNOWN_DAYS), DISPUTE_DAYS)
    paid = {fact.refs.invoice: fact.paid_at for fact in facts if isinstance(fact, InvoiceFact)}
    for key, payment in state.payments.items():
        if known := known_before.payments.get(key):
            _restore_payment(payment, known, state.refunds.values())
        payment.paid_at = _paid_at(payment, known, paid.get(key))
    _restore_dates(state.refunds, known_before.refunds)
    _restore_dates(state.disputes, known_before.disputes)


def changes_since(changes: Iterable[Change], known_before: Before, state: MoneyState) -> list[Change]:
    """The changes seen from what was known before, down to each payment; what is as it was is none."""
    now = describe(state)
    told = [change for change in changes if change[0] not in now]
    names = dict.fromkeys([*known_before.described, *now])
    return told + [
        (name, known_before.described.get(name, ""), now.get(name, ""))
        for name in names
        if known_before.described.get(name, "") != now.get(name, "")
    ]


def _reset_order(row: Order, facts: Collection[Fact], known_before: Before) -> None:
    known_before.row = values_of(row, (*ATTEMPT_FIELDS, *FAILURE_FIELDS, *ADDRESS_FIELDS))
    if any(isinstance(fact, OrderFact) and fact.status != OrderStatus.PAID for fact in facts):
        row.attempt_status, row.attempt_number, row.attempt_at = OrderStatus.PENDING, 1, None
        row.failed_attempt, row.failed_at, row.failed_charge = 0, None, ""
    if any(isinstance(fact, BuyerAddressFact) for fact in facts):
        row.city, row.country, row.located_at = "", "", None


def _reset_subscription(row: Subscription, facts: Collection[Fact], known_before: Before) -> None:
    if any(isinstance(fact, SubscriptionFact) for fact in facts):
        known_before.row = values_of(
            row, ("fingerprint", "needs_resync", "plan_slug", "plan_told_at", *UPDATE_FIELDS, *OWNER_FIELDS)
        )
        row.status, row.stripe_updated_at, row.fingerprint = "", None, ""
        row.customer_id = row.order_id = None
    if any(isinstance(fact, InvoiceFact) for fact in facts):
        row.last_paid_at = row.paid_until = None


def _restore_order(row: Order, known: Mapping[str, Any], facts: Collection[Fact]) -> None:
    """An attempt newer than all that Stripe knows of has only begun here; canceled and expired are both closed."""
    told = max((fact.refs.attempt or 1 for fact in facts if isinstance(fact, OrderFact)), default=0)
    is_closed = known["attempt_status"] in CLOSED_STATUSES and row.attempt_status in CLOSED_STATUSES
    is_same = known["attempt_status"] == row.attempt_status or is_closed
    if known["attempt_number"] > told or (is_same and known["attempt_number"] == row.attempt_number):
        _set_values(row, known, ATTEMPT_FIELDS)
    if not row.failed_charge:
        _set_values(row, known, FAILURE_FIELDS)
    elif row.failed_charge == known["failed_charge"]:
        _set_values(row, known, ("failed_at",))
    if (row.city, row.country) in ((known["city"], known["country"]), ("", "")):
        _set_values(row, known, ADDRESS_FIELDS)


def _restore_subscription(row: Subscription, known: Mapping[str, Any]) -> None:
    # Of one that needs a resync, the later date is what ends the need.
    if known and not known["needs_resync"] and known["fingerprint"] == row.fingerprint:
        _set_values(row, known, UPDATE_FIELDS)
    _set_values(row, known, [name for name in OWNER_FIELDS if known and getattr(row, name) is None])
    if known and known["plan_slug"] == row.plan_slug:
        _set_values(row, known, ("plan_told_at",))


def _restore_payment(payment: Payment, known: Mapping[str, Any], refunds: Iterable[Refund]) -> None:
    """What was not told stays. The charge's total may have counted what failed to go back."""
    if 0 <= known["charge_refunded"] - payment.charge_refunded <= undone_of(payment, refunds):
        payment.charge_refunded = known["charge_refunded"]
    _set_values(payment, known, [name for name in ("session", "charge", "currency") if not getattr(payment, name)])


def _paid_at(payment: Payment, known: Mapping[str, Any] | None, paid_at: datetime | None) -> datetime | None:
    """When it was paid: as known, unless there was no charge yet, or (`paid_at`) the invoice had been paid already."""
    date = known["paid_at"] if known else None
    if date and (payment.paid_at is None or payment.paid_at <= date <= (paid_at or date)):
        return cast("datetime", date)
    return paid_at or payment.paid_at


def _set_names(row: Refund | Dispute, fact: RefundFact | DisputeFact, names: ReferenceMap) -> None:
    row.payment, row.currency, row.reason = names.payment_of(fact.refs), fact.currency, fact.reason


def _restore_dates(rows: Mapping[str, Refund] | Mapping[str, Dispute], known: Mapping[str, Since]) -> None:
    for name, (status, since) in known.items():
        if rows[name].status == status:
            rows[name].status_at = since


def _set_values(
    row: Order | Subscription | Payment | Dispute, known: Mapping[str, Any], names: Collection[str]
) -> None:
    for name in names:
        setattr(row, name, known[name])


def describe(state: MoneyState) -> dict[str, str]:
    """The money in words, by what it is called, and what of the row is not visible otherwise."""
    names = ORDER_DETAILS if isinstance(state, OrderState) else SUBSCRIPTION_DETAILS
    told = {name: _word(value) for name, value in values_of(state.row, names).items()}
    own = state.row.currency
    for key, payment in state.payments.items():
        told[f"paid {key}"] = _sum(payment.received, payment.currency, own)
        told[f"refunded {key}"] = _sum(payment.refunded, payment.currency, own)
        told[f"refunded by {payment.charge or key}"] = _sum(payment.charge_refunded, payment.currency, own)
        told[f"lost {key}"] = _sum(payment.lost, payment.currency, own)
        told[f"details {key}"] = _words(
            payment.paid_at, payment.currency, payment.session, payment.charge, payment.period_start, payment.period_end
        )
        told[f"elsewhere {key}"] = _sum(payment.off_stripe, payment.currency, own)
    for key, refund in state.refunds.items():
        told[f"refund {key}"] = f"{refund.status} {_sum(refund.amount, refund.currency, own)}"
        reasons = (refund.reason, refund.failure_reason, refund.pending_reason)
        told[f"details {key}"] = _words(refund.payment, refund.currency, *reasons)
    for key, dispute in state.disputes.items():
        told[f"dispute {key}"] = f"{dispute.status} {_sum(dispute.amount, dispute.currency, own)}"
        phase = f"phase {dispute.phase}"
        told[f"details {key}"] = _words(dispute.payment, dispute.currency, dispute.reason, phase, dispute.due_by)
    return told


def _sum(amount: int, currency: str, own: str) -> str:
    """ "4900"; in another currency than the order's or subscription's own it says which: "3000 usd"; "" for nothing."""
    if not amount:
        return ""
    return str(amount) if currency in ("", own) else f"{amount} {currency}"


def _words(*values: object) -> str:
    return " ".join(filter(None, map(_word, values)))[:VALUE_LENGTH]


def _word(value: object) -> str:
    return "" if value is None else str(value)
