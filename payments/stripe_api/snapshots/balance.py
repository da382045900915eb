"""Stripe's balance in our words: what moved it, and what went to the bank.

https://docs.stripe.com/api/balance_transactions/object, …/payouts/object
"""

from dataclasses import dataclass
from datetime import date, datetime

from payments.facts import ObjectRefs
from payments.statuses import ENTRY_KINDS, EntryKind
from payments.stripe_api.snapshots.reading import (
    MAX_WORD_LENGTH,
    Json,
    find_object,
    find_text,
    get_currency,
    get_id,
    get_moment,
    get_sum,
    get_word,
    id_of,
    read_refs,
)

COMPLETE = "completed"
STATUS_MAX_LENGTH, FAILURE_MAX_LENGTH = 30, 500


@dataclass(frozen=True, slots=True)
class StripePayout:
    """`amount` below zero: Stripe takes it from the bank account.

    `is_complete`: Stripe says that its entries can be listed, all of them; of a manual payout it never does.
    """

    id: str
    amount: int
    currency: str
    status: str
    is_automatic: bool
    is_complete: bool
    arrival_date: date
    created_at: datetime
    failure: str
    livemode: bool

    @classmethod
    def read(cls, source: Json) -> "StripePayout":
        """Raises MalformedObject without an id, amount, currency, status or dates; a new status is no error."""
        words = (find_text(source, name) for name in ("failure_code", "failure_message"))
        return cls(
            id=get_id(source),
            amount=get_sum(source, "amount"),
            currency=get_currency(source),
            status=get_word(source, "status")[:STATUS_MAX_LENGTH],
            is_automatic=source.get("automatic") is True,
            is_complete=find_text(source, "reconciliation_status") == COMPLETE,
            # Stripe writes the day as its midnight in UTC.
            arrival_date=get_moment(source, "arrival_date").date(),
            created_at=get_moment(source, "created"),
            failure=": ".join(filter(None, words))[:FAILURE_MAX_LENGTH],
            livemode=source.get("livemode") is True,
        )


@dataclass(frozen=True, slots=True)
class StripeEntry:
    """One balance transaction: `net` is `amount` less `fee`, in the currency of the balance.

    `original`: the amount and its currency before Stripe has converted it. `source`: what it comes from (`ch_…`,
    `re_…`, `du_…`, …); `refs`: the names of the payment that it is about, as far as the source tells them.
    """

    id: str
    kind: EntryKind
    type: str
    amount: int
    fee: int
    net: int
    currency: str
    original: tuple[int, str]
    source: str
    refs: ObjectRefs
    created_at: datetime
    available_at: datetime

    @classmethod
    def read(cls, source: Json) -> "StripeEntry":
        """With its source expanded. Raises MalformedObject without an id, its sums, its currency or its days."""
        about, amount, currency = find_object(source, "source"), get_sum(source, "amount"), get_currency(source)
        return cls(
            id=get_id(source),
            kind=ENTRY_KINDS.get(get_word(source, "reporting_category"), EntryKind.OTHER),
            type=get_word(source, "type")[:MAX_WORD_LENGTH],
            amount=amount,
            fee=get_sum(source, "fee"),
            net=get_sum(source, "net"),
            currency=currency,
            original=_original(about, amount, currency),
            source=id_of(source.get("source")),
            refs=_refs_of(about),
            created_at=get_moment(source, "created"),
            available_at=get_moment(source, "available_on"),
        )


def _original(about: Json, amount: int, currency: str) -> tuple[int, str]:
    """As its source tells it, where that is in another currency; what the buyer has paid is never converted back."""
    if not isinstance(about.get("amount"), int) or find_text(about, "currency") in ("", currency):
        return amount, currency
    told = abs(get_sum(about, "amount"))
    return (-told if amount < 0 else told), get_currency(about)


def _refs_of(about: Json) -> ObjectRefs:
    """Of a charge its own names and ours; of what belongs to a charge the names of that."""
    intent, kind = id_of(about.get("payment_intent")), find_text(about, "object")
    if kind == "charge":
        return read_refs(about, payment_intent=intent, charge=get_id(about))
    return ObjectRefs(payment_intent=intent, charge=id_of(about.get("charge")))
