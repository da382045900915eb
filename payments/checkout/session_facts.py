"""What a fetched Checkout session tells: the very facts that its events would have told."""

from collections.abc import Iterable
from datetime import datetime

from payments.apply.apply import apply
from payments.apply.batch import ApplyResult, FactSet
from payments.checkout.open_checkout import NO_MONEY_COMES
from payments.facts import Fact, NoFacts
from payments.handlers.registry import HANDLERS, EventView
from payments.stripe_api import gateway
from payments.stripe_api.gateway import GatewayRefused
from payments.stripe_api.snapshots import StripeCheckoutSession
from payments.stripe_api.snapshots.reading import Json, find_object


class Untold(RuntimeError):
    """Nothing here understands what the session has to tell."""


def find_session(session: str) -> StripeCheckoutSession | None:
    """The session as Stripe knows it; None if it knows none of this name. Raises GatewayUnavailable, GatewayRefused."""
    try:
        return gateway.retrieve_checkout_session(session=session)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        return None


def has_failed(session: StripeCheckoutSession) -> bool:
    """The buyer went through it with a delayed method, and no money comes of it."""
    is_unpaid = session.status == "complete" and session.payment_status == "unpaid"
    return is_unpaid and session.intent_status in NO_MONEY_COMES


def facts_of(session: StripeCheckoutSession, *, at: datetime) -> list[Fact]:
    """The facts of a session that the buyer went through. Raises Untold, MalformedObject.

    Dated by the moment of the answer: whatever was known before is older, and where the earliest date counts, the
    event itself still brings it.
    """
    views = [EventView(id="", type=name, occurred_at=at, object=source) for name, source in _events_of(session)]
    said = [fact for view in views for fact in _handled(view)]
    facts = [fact for fact in said if not isinstance(fact, NoFacts)]
    if not facts:
        raise Untold("; ".join(nothing.reason for nothing in said if isinstance(nothing, NoFacts)))
    return facts


def apply_session(session: StripeCheckoutSession, *, source: str, at: datetime) -> tuple[ApplyResult, set[str]]:
    """Apply what the session tells, in the caller's transaction. Returns what became of it and the new names.

    Raises what the fold refused, Untold, or MalformedObject.
    """
    report = apply([FactSet(facts_of(session, at=at), source=source, occurred_at=at)], at=at)
    applied = report.applied[0]
    if applied.error:
        raise applied.error
    return applied, report.new_references


def _events_of(session: StripeCheckoutSession) -> Iterable[tuple[str, Json]]:
    """The session's own event comes first: it names the order."""
    intent = find_object(session.raw, "payment_intent")
    if not has_failed(session):
        yield "checkout.session.completed", session.raw
    elif session.intent_status == "canceled":
        yield "checkout.session.async_payment_failed", session.raw
        yield "payment_intent.canceled", intent
    else:
        yield "checkout.session.async_payment_failed", session.raw
        yield "payment_intent.payment_failed", intent


def _handled(view: EventView) -> Iterable[Fact | NoFacts]:
    handler = HANDLERS.get(view.type)
    if handler is None:
        raise Untold(f"no handler for {view.type}")
    return handler(view)
