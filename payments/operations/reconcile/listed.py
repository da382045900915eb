"""Stripe's lists of a window, each object as the facts that it tells."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payments.checkout.session_facts import Untold
from payments.facts import CustomerFact, Fact, OrderFact
from payments.operations.reconcile.window import Window
from payments.operations.resync.told import received_fact, session_facts, told_dispute, told_invoice, told_refund
from payments.stripe_api.snapshots import Json, StripeCheckoutSession, StripeInvoice, StripeSubscription
from payments.stripe_api.snapshots.reading import find_object

ToFacts = Callable[[Json, datetime], Iterable[Fact | None]]


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: what it is called at Stripe, what is asked of it, and how one of its objects is read."""

    what: str
    params: dict[str, Any]
    read: ToFacts

    def facts_of(self, raw: Json, *, at: datetime) -> list[Fact]:
        """What the object says that our rows must say, too. Raises MalformedObject."""
        try:
            facts = [fact for fact in self.read(raw, at) if fact and not isinstance(fact, CustomerFact)]
        except Untold:
            return []
        return _last_try(facts)


def lists_of_money(window: Window) -> list[Listed]:
    """What brings money. Subscriptions come first: what pays them is known by their invoices, and those by them."""
    created = {"created": window.created}
    return [
        # Without a status: every one that has not ended, however old it is.
        Listed("subscriptions", {}, _subscription),
        Listed("subscriptions", {"status": "all", **created}, _subscription),
        Listed("invoices", created, _invoice),
        Listed("checkout.sessions", created, _session),
        Listed("payment_intents", created, lambda raw, at: [received_fact(raw)]),
    ]


def lists_of_returns(window: Window) -> list[Listed]:
    """What takes money back: it is known by the payments."""
    created = {"created": window.created}
    return [
        Listed("refunds", created, lambda raw, at: [told_refund(raw)]),
        Listed("disputes", created, lambda raw, at: [told_dispute(raw)]),
    ]


def _subscription(raw: Json, at: datetime) -> Iterable[Fact]:
    return [StripeSubscription.read(raw).to_fact(at=at)]


def _invoice(raw: Json, at: datetime) -> Iterable[Fact]:
    invoice = StripeInvoice.read(raw)
    return [told_invoice(invoice, at=at)] if invoice.refs.subscription and invoice.is_paid else []


def _session(raw: Json, at: datetime) -> Iterable[Fact | None]:
    session, intent = StripeCheckoutSession.read(raw), find_object(raw, "payment_intent")
    yield from session_facts(session, intent, at=at)
    if intent:
        yield received_fact(intent, refs=session.refs)


def _last_try(facts: Sequence[Fact]) -> list[Fact]:
    """A session begins as open: only how far the buyer has come since says where the order stands."""
    tries = [fact for fact in facts if isinstance(fact, OrderFact)]
    return [fact for fact in facts if not isinstance(fact, OrderFact)] + tries[-1:]
