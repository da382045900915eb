"""All that Stripe knows of an order, a subscription or a customer, as facts: the very ones that its events would tell.

First the questions, which go over the network and so never inside a transaction; they raise GatewayUnavailable,
GatewayRefused, MalformedObject. Then one object after the other as facts, without a question.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from payments.billing.models import Dispute, Payment, Refund
from payments.checkout.session_facts import facts_of
from payments.facts import (
    BuyerAddressFact,
    CustomerFact,
    DisputeFact,
    Fact,
    InvoiceFact,
    InvoicePaymentFact,
    ObjectRefs,
    OrderFact,
    PaymentFact,
    RefundFact,
)
from payments.statuses import SUBSCRIPTION_ENDED, SUBSCRIPTION_OVERDUE, OrderStatus
from payments.stripe_api import lookups
from payments.stripe_api.gateway import Answer, GatewayRefused, KeyRefused
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots import (
    Json,
    MalformedObject,
    StripeCharge,
    StripeCheckoutSession,
    StripeCustomer,
    StripeDispute,
    StripeFraudWarning,
    StripeInvoice,
    StripePaymentIntent,
    StripeRefund,
    StripeSubscription,
)
from payments.stripe_api.snapshots.reading import find_moment, find_object

log = structlog.get_logger(__name__)
NOT_PAID = (*SUBSCRIPTION_OVERDUE, *SUBSCRIPTION_ENDED)
# Every other word that we know leaves open whether the buyer will pay.
ORDER_STATUS_BY_INTENT = {
    "requires_action": OrderStatus.ACTION_REQUIRED,
    "requires_source_action": OrderStatus.ACTION_REQUIRED,
    "processing": OrderStatus.PROCESSING,
    "canceled": OrderStatus.CANCELED,
}


@dataclass(slots=True)
class StripeState:
    """What Stripe has told. `missing`: names that we know and Stripe does not."""

    facts: list[Fact] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    said_at: datetime | None = None

    def add(self, other: "StripeState") -> None:
        """Take in what was asked for beside it."""
        self.facts += other.facts
        self.missing += other.missing
        self.said_at = max(filter(None, (self.said_at, other.said_at)), default=None)


@dataclass(frozen=True, slots=True)
class KnownMoney:
    """The names of the money that is known here: Stripe is asked about each, whether or not it is told otherwise."""

    payments: Collection[str] = ()
    refunds: Collection[str] = ()
    disputes: Collection[str] = ()


def known_money(owned: Q, *, also: Collection[str] = ()) -> KnownMoney:
    """The money of whom `owned` selects; `also`: names that may be payments as well."""
    payments = {*also, *Payment.objects.filter(owned, received__gt=0).values_list("key", flat=True)}
    refunds = Refund.objects.filter(owned).values_list("stripe_id", flat=True)
    disputes = Dispute.objects.filter(owned).values_list("stripe_id", flat=True)
    return KnownMoney(sorted(payments), list(refunds), list(disputes))


def state_of_order(*, sessions: Iterable[str], known: KnownMoney, stripe: ThrottledStripe) -> StripeState:
    """Everything behind these sessions, the oldest first, and behind the money that is known."""
    state, seen = StripeState(), set()
    for name in sessions:
        if answer := _find(lookups.look_up_session, name, state, stripe):
            seen.add(_add_session(answer, state, stripe=stripe))
    for name in known.payments:
        if (
            name.startswith("pi_")
            and name not in seen
            and (answer := _find(lookups.look_up_intent, name, state, stripe))
        ):
            state.facts += _money_facts(answer.raw, at=answer.said_at, stripe=stripe)
            state.said_at = answer.said_at
    _ask_about_untold(known, state, stripe=stripe)
    return state


def state_of_subscription(
    name: str, *, stripe: ThrottledStripe, after: datetime | None, known: KnownMoney
) -> StripeState:
    """The subscription, its customer, the money of each of its invoices, and what is known beside that.

    It is dated by Stripe's clock, and later than what was known when the question was sent (`after`).
    """
    state = StripeState()
    answer = _find(lookups.look_up_subscription, name, state, stripe)
    if answer is None:
        return state
    subscription = StripeSubscription.read(answer.raw)
    at = max(answer.said_at, after + timedelta(seconds=1)) if after else answer.said_at
    state.facts.append(subscription.to_fact(at=at))
    state.said_at = answer.said_at
    invoices = [StripeInvoice.read(raw) for raw in reversed(stripe.call(lookups.invoices_of, name))]
    for invoice in invoices:
        state.facts += _money_of_invoice(invoice, at=answer.said_at, stripe=stripe)
    told = {invoice.refs.invoice for invoice in invoices}
    state.missing += [key for key in known.payments if key.startswith("in_") and key not in told]
    _ask_about_untold(known, state, stripe=stripe)
    if customer := subscription.refs.customer:
        state.add(state_of_customer(customer, stripe=stripe))
    return state


def state_of_customer(name: str, *, stripe: ThrottledStripe) -> StripeState:
    """Who the customer is and where they live."""
    state = StripeState()
    if answer := _find(lookups.look_up_customer, name, state, stripe):
        state.facts.append(StripeCustomer.read(answer.raw).to_fact(at=answer.said_at))
        state.said_at = answer.said_at
    return state


def _find(look_up: Callable[[str], Answer], name: str, state: StripeState, stripe: ThrottledStripe) -> Answer | None:
    """None where Stripe knows nothing of this name; that is kept."""
    try:
        return stripe.call(look_up, name)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        state.missing.append(name)
        return None


def _ask_about_untold(known: KnownMoney, state: StripeState, *, stripe: ThrottledStripe) -> None:
    """Refunds and disputes that came with no payment: perhaps there are none such at Stripe."""
    refunds = {fact.refund for fact in state.facts if isinstance(fact, RefundFact)}
    disputes = {fact.dispute for fact in state.facts if isinstance(fact, DisputeFact)}
    for name in sorted(set(known.refunds) - refunds):
        if answer := _find(lookups.look_up_refund, name, state, stripe):
            state.facts.append(fact_of_refund(answer.raw))
    for name in sorted(set(known.disputes) - disputes):
        if answer := _find(lookups.look_up_dispute, name, state, stripe):
            state.facts.append(fact_of_dispute(answer.raw))


def _add_session(answer: Answer, state: StripeState, *, stripe: ThrottledStripe) -> str:
    """What the session and its payment tell. Returns the PaymentIntent's name, "" if it has none."""
    session = StripeCheckoutSession.read(answer.raw)
    intent = find_object(answer.raw, "payment_intent")
    state.said_at = answer.said_at
    facts = facts_of_session(session, intent, at=answer.said_at)
    state.facts += [_with_outcome_of_debit(fact, session, stripe=stripe) for fact in facts]
    if not intent:
        return ""
    state.facts += _money_facts(intent, at=answer.said_at, stripe=stripe, refs=session.refs)
    return StripePaymentIntent.read(intent).refs.payment_intent


def _with_outcome_of_debit(fact: Fact, session: StripeCheckoutSession, *, stripe: ThrottledStripe) -> Fact:
    """A session that began a subscription stays unpaid when its debit fails: the subscription tells what came of it."""
    name = session.billing.subscription
    if not (name and isinstance(fact, OrderFact) and fact.status == OrderStatus.PROCESSING):
        return fact
    status = StripeSubscription.read(stripe.call(lookups.look_up_subscription, name).raw).status
    return replace(fact, status=OrderStatus.FAILED) if status in NOT_PAID else fact


def _money_facts(intent: Json, *, at: datetime, stripe: ThrottledStripe, refs: ObjectRefs | None = None) -> list[Fact]:
    """What a payment brought, gave back, lost to disputes, and what is warned of; nothing where no money came."""
    money = fact_of_payment(intent, refs=refs)
    if money is None:
        return []
    name = money.refs.payment_intent
    refunds = [fact_of_refund(raw, refs=money.refs) for raw in stripe.call(lookups.refunds_of, name)]
    disputes = [fact_of_dispute(raw) for raw in stripe.call(lookups.disputes_of, name)]
    return [money, *refunds, *disputes, *_warnings_of(name, at=at, stripe=stripe)]


def _warnings_of(payment_intent: str, *, at: datetime, stripe: ThrottledStripe) -> list[Fact]:
    """Nothing that money depends on: a key that may not read them does without."""
    try:
        warnings = stripe.call(lookups.fraud_warnings_of, payment_intent)
    except KeyRefused:
        raise
    except GatewayRefused as refusal:
        log.warning("fraud_warnings.not_read", payment_intent=payment_intent, code=refusal.code)
        return []
    return [StripeFraudWarning.read(raw).to_fact(at=at) for raw in warnings]


def _money_of_invoice(invoice: StripeInvoice, *, at: datetime, stripe: ThrottledStripe) -> list[Fact]:
    """What a paid one tells, and its payment; one that is still open moves nothing."""
    if not invoice.is_paid:
        return []
    fact = fact_of_invoice(invoice, at=at)
    if not fact.refs.payment_intent:
        return [fact]
    names = replace(fact.refs, subscription="", customer="")
    intent = stripe.call(lookups.look_up_intent, fact.refs.payment_intent).raw
    return [fact, InvoicePaymentFact(names, at), *_money_facts(intent, at=at, stripe=stripe, refs=names)]


def facts_of_session(session: StripeCheckoutSession, intent: Json, *, at: datetime) -> list[Fact]:
    """What the session tells beside its payment. Raises Untold, MalformedObject."""
    began = find_moment(session.raw, "created") or at
    if session.status == "complete":
        # Its money is told by its payment, with the date on which it was charged.
        facts = facts_of(session, at=at)
        return [_dated(fact, began) for fact in facts if not (intent and isinstance(fact, PaymentFact))]
    if session.status == "expired":
        # Somebody may have ended it before its time.
        return [OrderFact(session.refs, OrderStatus.EXPIRED, min(session.expires_at or at, at))]
    if session.status != "open":
        raise MalformedObject(f"checkout.session {session.refs.session}: its status is missing.")
    return [OrderFact(session.refs, OrderStatus.PENDING, began), *_progress(session, intent, at=at)]


def _dated(fact: Fact, began: datetime) -> Fact:
    """What the buyer typed into Checkout is as old as that: they may have moved since."""
    return replace(fact, occurred_at=began) if isinstance(fact, BuyerAddressFact | CustomerFact) else fact


def _progress(session: StripeCheckoutSession, intent: Json, *, at: datetime) -> Iterator[Fact]:
    """How far the buyer has come in a session that is still open."""
    if not intent:
        return
    read = StripePaymentIntent.read(intent)
    refs = replace(read.failure_refs, session=session.refs.session)
    if status := ORDER_STATUS_BY_INTENT.get(read.status):
        yield OrderFact(refs, status, at)
    elif find_object(intent, "last_payment_error"):
        charge = find_object(intent, "latest_charge")
        yield OrderFact(refs, OrderStatus.FAILED, find_moment(charge, "created") or at, failure=read.failure)


def fact_of_payment(intent: Json, *, refs: ObjectRefs | None = None) -> PaymentFact | None:
    """What a payment has brought; None where no money came. `about`: whose session or invoice it pays."""
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


def fact_of_invoice(invoice: StripeInvoice, *, at: datetime) -> InvoiceFact:
    """What a paid invoice tells. Of one that cost nothing or was paid by another way, no payment is named."""
    fact = invoice.to_fact(at=at)
    if fact.received > fact.off_stripe:
        return fact
    return replace(fact, refs=replace(fact.refs, payment_intent="", charge=""))


def fact_of_refund(raw: Json, *, refs: ObjectRefs | None = None) -> RefundFact:
    """A refund, dated by the moment it was made where nothing better is told."""
    refund = StripeRefund.read(raw)
    return refund.to_fact(refs=refs, at=_made_at(raw))


def fact_of_dispute(raw: Json) -> DisputeFact:
    """A dispute, dated as a refund is."""
    return StripeDispute.read(raw).to_fact(at=_made_at(raw))


def _made_at(raw: Json) -> datetime:
    made = find_moment(raw, "created")
    assert made is not None, "Stripe dates every object"
    return made
