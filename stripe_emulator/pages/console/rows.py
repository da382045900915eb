"""The rows of the overview that are Stripe objects, newest first; a fixed number of queries each."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from stripe_emulator import store
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.console import buttons
from stripe_emulator.pages.console.buttons import Button
from stripe_emulator.pages.console.words import amount, moment, tone

SESSIONS, PAYMENTS, SUBSCRIPTIONS, ENDPOINTS = 20, 20, 10, 16


@dataclass(frozen=True, slots=True)
class Row:
    """`detail` stands beside the state, in Stripe's words; `related` are objects shown with it: id and state."""

    id: str
    what: str
    state: str
    tone: str
    buttons: list[Button]
    when: datetime | None = None
    detail: str = ""
    more: str = ""
    related: tuple[tuple[str, str], ...] = ()
    url: str = ""


def sessions() -> list[Row]:
    """Checkout sessions."""
    return [_session(each) for each in store.find("checkout.session")[:SESSIONS]]


def _session(session: StoredObject) -> Row:
    data, lines = session.data, session.hidden.get("line_items") or [{}]
    return Row(
        id=session.stripe_id,
        what=amount(data["amount_total"], data["currency"]),
        more=lines[0].get("description") or data["mode"],
        state=data["status"],
        detail=data["payment_status"] if data["status"] == "complete" else "",
        tone="open" if data["status"] == "complete" and data["payment_status"] == "unpaid" else tone(data["status"]),
        when=moment(session.created),
        url=urlsplit(data["url"] or "").path,
        buttons=buttons.of_session(session),
    )


def payments() -> list[Row]:
    """PaymentIntents, with their charges and disputes."""
    return payments_of(list(store.find("payment_intent")[:PAYMENTS]))


def payments_of(intents: list[StoredObject]) -> list[Row]:
    """One row for each of these PaymentIntents."""
    charges = by_id(intent.data["latest_charge"] for intent in intents)
    disputes = defaultdict(list)
    for dispute in store.find("dispute").filter(data__charge__in=list(charges)):
        disputes[dispute.data["charge"]].append(dispute)
    return [_payment(each, charges.get(each.data["latest_charge"]), disputes) for each in intents]


def _payment(intent: StoredObject, charge: StoredObject | None, every: dict[str, list[StoredObject]]) -> Row:
    data, disputes = intent.data, every.get(charge.stripe_id, []) if charge else []
    refunded = charge.data["amount_refunded"] if charge else 0
    return Row(
        id=intent.stripe_id,
        what=amount(data["amount"], data["currency"]),
        more=amount(refunded, data["currency"]) if refunded else "",
        state=data["status"],
        tone=tone(data["status"]),
        when=moment(intent.created),
        related=tuple((each.stripe_id, each.data["status"]) for each in disputes),
        buttons=buttons.of_intent(intent, charge, disputes),
    )


def subscriptions() -> list[Row]:
    """Subscriptions, with the end of their period and the test method that renewals are tried with."""
    found = list(store.find("subscription")[:SUBSCRIPTIONS])
    methods = by_id(each.data["default_payment_method"] for each in found)
    return [_subscription(each, methods.get(each.data["default_payment_method"])) for each in found]


def _subscription(subscription: StoredObject, method: StoredObject | None) -> Row:
    data = subscription.data
    items = data["items"]["data"]
    price = items[0]["price"] if items else {}
    return Row(
        id=subscription.stripe_id,
        what=amount(price.get("unit_amount"), price.get("currency")),
        more=method.hidden.get("test", "") if method else "",
        state=data["status"],
        detail="cancel_at_period_end" if data["cancel_at_period_end"] and not data["ended_at"] else "",
        tone=tone(data["status"]),
        when=moment(items[0].get("current_period_end")) if items else None,
        buttons=buttons.of_subscription(subscription),
    )


def endpoints() -> list[Row]:
    """Webhook endpoints."""
    return [_endpoint(each) for each in store.find("webhook_endpoint")[:ENDPOINTS]]


def _endpoint(endpoint: StoredObject) -> Row:
    data = endpoint.data
    kinds = data["enabled_events"]
    return Row(
        id=endpoint.stripe_id,
        what=data["url"],
        more=kinds[0] if len(kinds) == 1 else str(len(kinds)),
        state=data["status"],
        detail=data["api_version"] or "",
        tone=tone(data["status"]),
        buttons=buttons.of_endpoint(endpoint),
    )


def by_id(ids: Iterable[str | None]) -> dict[str, StoredObject]:
    """The objects with these ids, where there are any."""
    found = StoredObject.objects.filter(stripe_id__in=[id for id in ids if id])
    return {each.stripe_id: each for each in found}
