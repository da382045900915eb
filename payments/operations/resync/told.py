"""Objects of Stripe as facts, the very ones that their events would tell: one by one, without a question."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from payments.checkout.session_facts import facts_of
from payments.facts import (
    BuyerAddressFact,
    CustomerFact,
    DisputeFact,
    Fact,
    InvoiceFact,
    ObjectRefs,
    OrderFact,
    PaymentFact,
    RefundFact,
)
from payments.statuses import OrderStatus
from payments.stripe_api.snapshots import (
    Json,
    StripeCharge,
    StripeCheckoutSession,
    StripeDispute,
    StripeInvoice,
    StripePaymentIntent,
    StripeRefund,
)
from payments.stripe_api.snapshots.reading import find_moment, find_object

TRIES = {
    "requires_action": OrderStatus.ACTION_REQUIRED,
    "processing": OrderStatus.PROCESSING,
    "canceled": OrderStatus.CANCELED,
}


def session_facts(session: StripeCheckoutSession, intent: Json, *, at: datetime) -> list[Fact]:
    """What the session tells beside its payment. Raises Untold, MalformedObject."""
    began = find_moment(session.raw, "created") or at
    if session.status == "complete":
        # Its money is told by its payment, with the date on which it was charged.
        facts = facts_of(session, at=at)
        return [_dated(fact, began) for fact in facts if not (intent and isinstance(fact, PaymentFact))]
    if session.status == "expired":
        # Somebody may have ended it before its time.
        return [OrderFact(session.refs, OrderStatus.EXPIRED, min(session.expires_at or at, at))]
    return [OrderFact(session.refs, OrderStatus.PENDING, began), *_try(session, intent, at=at)]


def _dated(fact: Fact, began: datetime) -> Fact:
    """What the buyer typed into Checkout is as old as that: they may have moved since."""
    return replace(fact, occurred_at=began) if isinstance(fact, BuyerAddressFact | CustomerFact) else fact


def _try(session: StripeCheckoutSession, intent: Json, *, at: datetime) -> Iterator[Fact]:
    """Where the buyer stands in a session that is still open."""
    if not intent:
        return
    read = StripePaymentIntent.read(intent)
    refs = replace(read.failure_refs, session=session.refs.session)
    if status := TRIES.get(read.status):
        yield OrderFact(refs, status, at)
    elif find_object(intent, "last_payment_error"):
        charge = find_object(intent, "latest_charge")
        yield OrderFact(refs, OrderStatus.FAILED, find_moment(charge, "created") or at, failure=read.failure)


def received_fact(intent: Json, *, refs: ObjectRefs | None = None) -> PaymentFact | None:
    """What a payment has brought; None where no money came. `refs`: whose session or invoice it pays."""
    read = StripePaymentIntent.read(intent)
    received = read.received
    if not received.amount:
        return None
    names = read.refs
    if refs:
        names = replace(names, session=refs.session, order=refs.order, invoice=refs.invoice)
    charge = find_object(intent, "latest_charge")
    paid_at = find_moment(charge, "created") or _made_at(intent)
    refunded = StripeCharge.read(charge).refunded if charge else 0
    return PaymentFact(names, received.amount, received.currency, paid_at, refunded=refunded)


def told_invoice(invoice: StripeInvoice, *, at: datetime) -> InvoiceFact:
    """What a paid invoice tells. Of one that cost nothing or was paid by another way, no payment is named."""
    told = invoice.to_fact(at=at)
    if told.received > told.off_stripe:
        return told
    return replace(told, refs=replace(told.refs, payment_intent="", charge=""))


def told_refund(raw: Json, *, refs: ObjectRefs | None = None) -> RefundFact:
    """A refund, dated by the moment it was made where nothing better is told."""
    refund = StripeRefund.read(raw)
    return refund.to_fact(refs=refs, at=_made_at(raw))


def told_dispute(raw: Json) -> DisputeFact:
    """A dispute, dated as a refund is."""
    return StripeDispute.read(raw).to_fact(at=_made_at(raw))


def _made_at(raw: Json) -> datetime:
    made = find_moment(raw, "created")
    assert made is not None, "Stripe dates every object"
    return made
