"""A Checkout session is complete: who has bought, what was paid, what comes of it."""

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.life import methods, subscriptions
from stripe_emulator.life.following import follows
from stripe_emulator.life.session_intents import customer_id
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.checkout_session import UNKNOWN_CUSTOMER
from stripe_emulator.shapes.customer import new_customer
from stripe_emulator.timers import drop_timer

EXPIRY = "checkout.session.expire"
DAY = 24 * 3600


@follows("session")
def follow(intent: StoredObject, at: int) -> None:
    """The session follows its PaymentIntent: complete, later settled or failed."""
    session = store.get("checkout.session", intent.hidden["session"], lock=True)
    status = intent.data["status"]
    if session.data["status"] == "open" and status in ("succeeded", "processing"):
        complete(session, at=at, intent=intent)
    elif session.data["status"] == "complete" and session.data["payment_status"] == "unpaid":
        _settle(session, intent, at)


def complete(
    session: StoredObject,
    *,
    at: int,
    intent: StoredObject | None = None,
    method: StoredObject | None = None,
    billing: Json | None = None,
) -> None:
    """The buyer is through; with a debit under way the money comes later. Emits checkout.session.completed."""
    if intent is not None:
        method = store.get("payment_method", intent.data["payment_method"])
    details = (method.data["billing_details"] if method else billing) or {}
    drop_timer(EXPIRY, session)
    is_under_way = intent is not None and intent.data["status"] == "processing"
    status = "unpaid" if is_under_way else _status_of(session)
    session.change(status="complete", payment_status=status, url=None, customer=customer_id(session))
    session.change(**_collected(session, details))
    if session.data["mode"] == "subscription" and method is not None:
        _subscribe(session, at, intent, method)
    emit("checkout.session.completed", session, at=at)


def ensure_customer(session: StoredObject, billing: Json, *, at: int) -> None:
    """Make the buyer's customer at the first try, when the session calls for one."""
    is_wanted = session.data["mode"] == "subscription" or session.data["customer_creation"] == "always"
    if customer_id(session) or not is_wanted:
        return
    email = session.data["customer_email"] or billing.get("email")
    fields = {"email": email, **{name: billing.get(name) for name in ("name", "phone", "address")}}
    customer = store.keep(new_customer(at, **fields), parent=session)
    emit("customer.created", customer, at=at)
    session.remember(customer=customer.stripe_id)


def _settle(session: StoredObject, intent: StoredObject, at: int) -> None:
    """The debit has gone through or come back."""
    if intent.data["status"] == "succeeded":
        session.change(payment_status="paid")
        emit("checkout.session.async_payment_succeeded", session, at=at)
    elif intent.data["status"] == "requires_payment_method":
        emit("checkout.session.async_payment_failed", session, at=at)


def _status_of(session: StoredObject) -> str:
    """A subscription's first invoice counts as paid even when it is over nothing."""
    is_free = session.data["payment_status"] == "no_payment_required"
    return "no_payment_required" if is_free else "paid"


def _subscribe(session: StoredObject, at: int, intent: StoredObject | None, method: StoredObject) -> None:
    """What was subscribed to begins, with its first invoice paid, or being paid, by this intent."""
    customer = store.get("customer", session.data["customer"], lock=True)
    if method.data["customer"] is None:
        methods.attach(method, customer, at=at)
    told = session.hidden["subscription_data"]
    trial_days = told.get("trial_period_days", 0)
    subscription = subscriptions.start(
        customer=customer,
        items=[{"price": row["price"]["id"], "quantity": row["quantity"]} for row in session.hidden["line_items"]],
        at=at,
        parent=session,
        metadata=told.get("metadata"),
        intent=intent,
        default_payment_method=method.stripe_id,
        trial_end=told.get("trial_end") or (at + trial_days * DAY if trial_days else None),
        session_id=session.stripe_id,
        description=told.get("description"),
    )
    session.change(subscription=subscription.stripe_id, invoice=subscription.data["latest_invoice"])


def _collected(session: StoredObject, billing: Json) -> Json:
    """What the page has learnt about the buyer."""
    known = session.data["customer_details"] or {}
    details = {name: billing.get(name) for name in ("address", "name", "phone")}
    email = known.get("email") or billing.get("email")
    shown = {**UNKNOWN_CUSTOMER, **details, "email": email}
    if session.data["mode"] == "setup":
        shown["address"] = None
    collected = {"business_name": None, "individual_name": None, "shipping_details": None}
    fields: Json = {"customer_details": shown, "collected_information": collected}
    if session.data["automatic_tax"]["enabled"]:
        fields["automatic_tax"] = {**session.data["automatic_tax"], "status": "complete"}
    if (session.data["consent_collection"] or {}).get("terms_of_service") == "required":
        fields["consent"] = {"promotions": None, "terms_of_service": "accepted"}
    return fields
