"""All that Stripe knows of an order or a subscription, as facts: the very ones that its events would tell.

Network only, so never inside a transaction. Every function raises GatewayUnavailable, GatewayRefused, MalformedObject.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from payments.facts import DisputeFact, Fact, InvoicePaymentFact, ObjectRefs, OrderFact, RefundFact
from payments.operations.resync.asking import Asking
from payments.operations.resync.told import received_fact, session_facts, told_dispute, told_invoice, told_refund
from payments.statuses import SUBSCRIPTION_ENDED, OrderStatus, SubscriptionStatus
from payments.stripe_api.gateway import Answer, GatewayRefused
from payments.stripe_api.snapshots import (
    Json,
    StripeCheckoutSession,
    StripeCustomer,
    StripeInvoice,
    StripePaymentIntent,
    StripeSubscription,
)
from payments.stripe_api.snapshots.reading import find_object

NOT_PAID = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID, *SUBSCRIPTION_ENDED)


@dataclass(slots=True)
class Truth:
    """What Stripe has told. `missing`: names that we know and Stripe does not."""

    facts: list[Fact] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    said_at: datetime | None = None

    def add(self, other: "Truth") -> None:
        """Take in what was asked for beside it."""
        self.facts += other.facts
        self.missing += other.missing
        self.said_at = max(filter(None, (self.said_at, other.said_at)), default=None)


@dataclass(frozen=True, slots=True)
class Rows:
    """The names of the money that is known here: Stripe is asked about each, whether or not it is told otherwise."""

    payments: Collection[str] = ()
    refunds: Collection[str] = ()
    disputes: Collection[str] = ()


def truth_of_order(*, sessions: Iterable[str], rows: Rows, stripe: Asking) -> Truth:
    """Everything behind these sessions, the oldest first, and behind the rows."""
    truth, seen = Truth(), set()
    for name in sessions:
        if answer := _found(stripe, "look_up_session", name, truth):
            seen.add(_take_session(answer, truth, stripe=stripe))
    for name in rows.payments:
        if name.startswith("pi_") and name not in seen and (answer := _found(stripe, "look_up_intent", name, truth)):
            truth.facts += _money(answer.raw, stripe=stripe)
            truth.said_at = answer.said_at
    _ask_about_untold(rows, truth, stripe=stripe)
    return truth


def truth_of_subscription(name: str, *, stripe: Asking, after: datetime | None, rows: Rows) -> Truth:
    """The subscription, its customer, the money of each of its invoices, and what is behind the rows.

    It is dated by Stripe's clock, and later than what was known when the question was sent (`after`).
    """
    truth = Truth()
    answer = _found(stripe, "look_up_subscription", name, truth)
    if answer is None:
        return truth
    subscription = StripeSubscription.read(answer.raw)
    at = max(answer.said_at, after + timedelta(seconds=1)) if after else answer.said_at
    truth.facts.append(subscription.to_fact(at=at))
    truth.said_at = answer.said_at
    invoices = [StripeInvoice.read(raw) for raw in reversed(stripe.many("invoices_of", name))]
    for invoice in invoices:
        truth.facts += _invoice_facts(invoice, at=answer.said_at, stripe=stripe)
    told = {invoice.refs.invoice for invoice in invoices}
    truth.missing += [key for key in rows.payments if key.startswith("in_") and key not in told]
    _ask_about_untold(rows, truth, stripe=stripe)
    if customer := subscription.refs.customer:
        truth.add(truth_of_customer(customer, stripe=stripe))
    return truth


def _ask_about_untold(rows: Rows, truth: Truth, *, stripe: Asking) -> None:
    """Refunds and disputes that came with no payment: perhaps there are none such at Stripe."""
    refunds = {fact.refund for fact in truth.facts if isinstance(fact, RefundFact)}
    disputes = {fact.dispute for fact in truth.facts if isinstance(fact, DisputeFact)}
    for name in sorted(set(rows.refunds) - refunds):
        if answer := _found(stripe, "look_up_refund", name, truth):
            truth.facts.append(told_refund(answer.raw))
    for name in sorted(set(rows.disputes) - disputes):
        if answer := _found(stripe, "look_up_dispute", name, truth):
            truth.facts.append(told_dispute(answer.raw))


def truth_of_customer(name: str, *, stripe: Asking) -> Truth:
    """Who the customer is and where they live."""
    truth = Truth()
    if answer := _found(stripe, "look_up_customer", name, truth):
        truth.facts.append(StripeCustomer.read(answer.raw).to_fact(at=answer.said_at))
        truth.said_at = answer.said_at
    return truth


def _found(stripe: Asking, what: str, name: str, truth: Truth) -> Answer | None:
    try:
        return stripe.one(what, name)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        truth.missing.append(name)
        return None


def _take_session(answer: Answer, truth: Truth, *, stripe: Asking) -> str:
    """What the session and its payment tell. Returns the PaymentIntent's name, "" if it has none."""
    session = StripeCheckoutSession.read(answer.raw)
    intent = find_object(answer.raw, "payment_intent")
    truth.said_at = answer.said_at
    facts = session_facts(session, intent, at=answer.said_at)
    truth.facts += [_decided(fact, session, stripe=stripe) for fact in facts]
    if not intent:
        return ""
    truth.facts += _money(intent, stripe=stripe, refs=session.refs)
    return StripePaymentIntent.read(intent).refs.payment_intent


def _decided(fact: Fact, session: StripeCheckoutSession, *, stripe: Asking) -> Fact:
    """A session that began a subscription stays unpaid when its debit fails: the subscription tells what came of it."""
    name = session.billing.subscription
    if not (name and isinstance(fact, OrderFact) and fact.status == OrderStatus.PROCESSING):
        return fact
    status = StripeSubscription.read(stripe.one("look_up_subscription", name).raw).status
    return replace(fact, status=OrderStatus.FAILED) if status in NOT_PAID else fact


def _money(intent: Json, *, stripe: Asking, refs: ObjectRefs | None = None) -> list[Fact]:
    """What a payment brought, gave back, and lost to disputes; nothing where no money came."""
    money = received_fact(intent, refs=refs)
    if money is None:
        return []
    name = money.refs.payment_intent
    refunds = [told_refund(raw, refs=money.refs) for raw in stripe.many("refunds_of", name)]
    return [money, *refunds, *(told_dispute(raw) for raw in stripe.many("disputes_of", name))]


def _invoice_facts(invoice: StripeInvoice, *, at: datetime, stripe: Asking) -> list[Fact]:
    """What a paid one tells, and its payment; one that is still open moves nothing."""
    if not invoice.is_paid:
        return []
    told = told_invoice(invoice, at=at)
    refs = told.refs
    if not refs.payment_intent:
        return [told]
    names = replace(refs, subscription="", customer="")
    intent = stripe.one("look_up_intent", refs.payment_intent).raw
    return [told, InvoicePaymentFact(names, at), *_money(intent, stripe=stripe, refs=names)]
