"""Payments in our words: PaymentIntents, charges, refunds and disputes.

https://docs.stripe.com/api/payment_intents/object, …/charges/object, …/refunds/object, …/disputes/object
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from payments.facts import DisputeFact, Failure, FraudWarningFact, ObjectRefs, RefundFact
from payments.statuses import DisputeStatus, RefundStatus
from payments.stripe_api.snapshots.reading import (
    MAX_ID_LENGTH,
    MAX_WORD_LENGTH,
    Json,
    Money,
    find_known,
    find_moment,
    find_object,
    find_rows,
    find_text,
    get_amount,
    get_currency,
    get_id,
    get_known,
    get_word,
    id_of,
    read_intent_status,
    read_refs,
)

# Of a prevented dispute: settled with the buyer, or turned away. Others are no dispute that was prevented.
SETTLED_WITH_BUYER, CASE_TYPES = "resolution", ("block", "chargeback", "compliance", "inquiry", "resolution")
# Ways to pay whose money comes days after the charge: https://docs.stripe.com/payments/payment-methods/payment-method-support
DELAYED = frozenset(
    {
        "ach_debit", "acss_debit", "au_becs_debit", "bacs_debit", "boleto", "customer_balance", "konbini",
        "multibanco", "nz_bank_account", "oxxo", "sepa_debit", "sofort", "us_bank_account",
    }
)  # fmt: skip


# Decline codes without a reason: https://docs.stripe.com/declines/codes
SAYS_NOTHING = ("generic_decline", "generic_could_not_process")


@dataclass(frozen=True, slots=True)
class StripeRefund:
    """`status` is Stripe's word; `pending_reason` why it waits, "" where it does not."""

    id: str
    refs: ObjectRefs
    amount: int
    currency: str
    status: str
    reason: str
    failure_reason: str
    pending_reason: str = ""
    made_at: datetime | None = None
    effect: str = ""
    """The key of the effect that asked for it, from `effect` in the metadata; "" for a refund made elsewhere."""

    @classmethod
    def read(cls, source: Json) -> "StripeRefund":
        """Raises MalformedObject without an id, amount or currency, and for a status that we do not know."""
        return cls(
            id=get_id(source),
            refs=_refs_to_payment(source),
            amount=get_amount(source, "amount"),
            currency=get_currency(source),
            # Null in old versions for methods that report nothing back: the money has left all the same.
            status=find_known(source, "status", RefundStatus.values) or RefundStatus.PENDING.value,
            reason=find_text(source, "reason", longest=MAX_WORD_LENGTH),
            failure_reason=find_text(source, "failure_reason", longest=MAX_WORD_LENGTH),
            pending_reason=find_text(source, "pending_reason", longest=MAX_WORD_LENGTH),
            made_at=find_moment(source, "created"),
            effect=find_text(find_object(source, "metadata"), "effect", longest=MAX_ID_LENGTH),
        )

    def to_fact(self, *, at: datetime, refs: ObjectRefs | None = None) -> RefundFact:
        """The refund as it stood at that moment. `refs`: of the object that told of it, where it was not its own."""
        return RefundFact(
            refs or self.refs,
            refund=self.id,
            amount=self.amount,
            currency=self.currency,
            status=self.status,
            occurred_at=at,
            reason=self.reason,
            failure_reason=self.failure_reason,
            pending_reason=self.pending_reason,
            made_at=self.made_at,
        )


@dataclass(frozen=True, slots=True)
class StripeCharge:
    """`refunded` is the running total of its refunds; `refunds` are those that older versions list inside."""

    refs: ObjectRefs
    captured: int
    refunded: int
    currency: str
    created: datetime | None
    refunds: tuple[StripeRefund, ...]
    is_delayed: bool = False

    @property
    def paid_at(self) -> datetime | None:
        """When its money came, if the charge tells: of a delayed one it tells only when it was begun."""
        return None if self.is_delayed else self.created

    @classmethod
    def read(cls, source: Json) -> "StripeCharge":
        """Raises MalformedObject without an id, its amounts or its currency."""
        refs = read_refs(source, payment_intent=id_of(source.get("payment_intent")), charge=get_id(source))
        # Until https://docs.stripe.com/changelog/basil it named the invoice that it pays.
        refs = replace(refs, invoice=id_of(source.get("invoice")))
        captured = _captured(source)
        return cls(
            refs=refs,
            captured=captured,
            refunded=max(0, get_amount(source, "amount_refunded") - _released(source, captured)),
            currency=get_currency(source),
            created=find_moment(source, "created"),
            refunds=tuple(StripeRefund.read(row) for row in find_rows(source, "refunds")),
            is_delayed=find_text(find_object(source, "payment_method_details"), "type") in DELAYED,
        )


def _captured(source: Json) -> int:
    """What was really taken; before `amount_captured` existed, all or nothing."""
    if source.get("amount_captured") is not None:
        return get_amount(source, "amount_captured")
    return 0 if source.get("captured") is False else get_amount(source, "amount")


def _released(source: Json, captured: int) -> int:
    """What was held and never taken: Stripe counts it as refunded (https://docs.stripe.com/api/charges/capture)."""
    return max(0, get_amount(source, "amount") - captured) if captured and source.get("amount") is not None else 0


# Stripe's own reasons, beside those of people.
RAN_OUT = frozenset({"automatic", "expired"})


@dataclass(frozen=True, slots=True)
class StripePaymentIntent:
    """`refs` names the latest charge, `failure_refs` the one that was declined last."""

    refs: ObjectRefs
    failure_refs: ObjectRefs
    status: str
    failure: Failure
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def read(cls, source: Json) -> "StripePaymentIntent":
        """Raises MalformedObject without an id, and for a status that we do not know."""
        refs = read_refs(source, payment_intent=get_id(source), charge=_latest_charge(source))
        # Until https://docs.stripe.com/changelog/basil it named the invoice that it pays.
        refs = replace(refs, invoice=id_of(source.get("invoice")))
        error = find_object(source, "last_payment_error")
        return cls(
            refs=refs,
            failure_refs=replace(refs, charge=id_of(error.get("charge")) or refs.charge),
            status=read_intent_status(source),
            failure=_failure(error),
            raw=source,
        )

    @property
    def has_run_out(self) -> bool:
        """Whether it ended with the session in which it was to be paid: nobody has canceled it."""
        return find_text(self.raw, "cancellation_reason") in RAN_OUT

    @property
    def received(self) -> Money:
        """What has arrived. Raises MalformedObject."""
        return Money.read(self.raw, "amount_received")


def _latest_charge(source: Json) -> str:
    """`latest_charge`; versions before 2022-11-15 listed the charges instead, the newest first."""
    newest = next(iter(find_rows(source, "charges")), {})
    return id_of(source.get("latest_charge")) or id_of(newest)


def _failure(error: Json) -> Failure:
    """The word that says most: of cards `decline_code`; of debits it is general, and `code` has the bank's reason."""
    decline_code, code = (find_text(error, name, longest=MAX_WORD_LENGTH) for name in ("decline_code", "code"))
    says_most = decline_code
    if not decline_code or (decline_code in SAYS_NOTHING and code != "card_declined"):
        says_most = code or decline_code
    return Failure(code=says_most, message=find_text(error, "message"), error_code=code)


@dataclass(frozen=True, slots=True)
class StripeDispute:
    """`status` is Stripe's word; `due_by` None: no answer is possible (Stripe writes 0 or null).

    `took_money`: it never became a chargeback, and its amount was taken from our balance all the same.
    """

    id: str
    refs: ObjectRefs
    amount: int
    currency: str
    status: str
    reason: str
    due_by: datetime | None
    took_money: bool

    @classmethod
    def read(cls, source: Json) -> "StripeDispute":
        """Raises MalformedObject without an id, amount, currency or a status that we know: each decides about money."""
        status = get_known(source, "status", DisputeStatus.values)
        return cls(
            id=get_id(source),
            refs=_refs_to_payment(source),
            amount=get_amount(source, "amount"),
            currency=get_currency(source),
            status=status,
            reason=find_text(source, "reason", longest=MAX_WORD_LENGTH),
            due_by=find_moment(find_object(source, "evidence_details"), "due_by"),
            took_money=status == DisputeStatus.PREVENTED and _took_money(source),
        )

    def to_fact(self, *, at: datetime) -> DisputeFact:
        """The dispute as it stood at that moment."""
        return DisputeFact(
            self.refs,
            dispute=self.id,
            amount=self.amount,
            currency=self.currency,
            status=self.status,
            occurred_at=at,
            reason=self.reason,
            due_by=self.due_by,
            took_money=self.took_money,
        )


@dataclass(frozen=True, slots=True)
class StripeFraudWarning:
    """`radar.early_fraud_warning`: https://docs.stripe.com/api/radar/early_fraud_warnings/object"""

    id: str
    refs: ObjectRefs
    fraud_type: str
    is_actionable: bool

    @classmethod
    def read(cls, source: Json) -> "StripeFraudWarning":
        """Raises MalformedObject without an id or a kind of fraud. What is not said to be over asks a person."""
        return cls(
            id=get_id(source),
            refs=_refs_to_payment(source),
            fraud_type=get_word(source, "fraud_type")[:MAX_WORD_LENGTH],
            is_actionable=source.get("actionable") is not False,
        )

    def to_fact(self, *, at: datetime) -> FraudWarningFact:
        """The warning as it stood at that moment."""
        return FraudWarningFact(self.refs, self.id, self.fraud_type, self.is_actionable, at)


def _took_money(source: Json) -> bool:
    """Whether the money of a prevented dispute is gone: our balance tells, and before it does so the kind of case.

    https://docs.stripe.com/changelog/basil/2025-08-27/add-preventions-to-dispute
    """
    card = find_object(find_object(source, "payment_method_details"), "card")
    case_type = find_known(card, "case_type", CASE_TYPES)
    moved = source.get("balance_transactions")
    amounts = [row.get("amount") for row in moved if isinstance(row, Mapping)] if isinstance(moved, list) else []
    if told := [amount for amount in amounts if isinstance(amount, int)]:
        return sum(told) < 0
    return case_type == SETTLED_WITH_BUYER


def _refs_to_payment(source: Json) -> ObjectRefs:
    """What a refund, a dispute or a warning is about."""
    return read_refs(source, payment_intent=id_of(source.get("payment_intent")), charge=id_of(source.get("charge")))
