"""What a session pays or saves a card with: its PaymentIntent or SetupIntent, made at the first try."""

from stripe_emulator import store
from stripe_emulator.life import payments, setups
from stripe_emulator.models import StoredObject

INTENT_FIELDS = (
    "description",
    "metadata",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
)


def intent_of(session: StoredObject, *, at: int) -> StoredObject:
    """The PaymentIntent, locked.

    https://docs.stripe.com/changelog/2022-08-01/deferred-paymentintent-checkout-session
    """
    if id := session.hidden.get("intent"):
        return store.get("payment_intent", id, lock=True)
    told = session.hidden["intent_data"]
    fields = {name: told[name] for name in INTENT_FIELDS if name in told}
    if session.data["mode"] == "subscription":
        fields["setup_future_usage"] = "off_session"
    intent = payments.make_intent(
        at,
        amount=session.data["amount_total"],
        currency=session.data["currency"],
        parent=session,
        hidden={"session": session.stripe_id},
        customer=customer_id(session),
        payment_method_types=session.data["payment_method_types"],
        **fields,
    )
    session.remember(intent=intent.stripe_id)
    if session.data["mode"] == "payment":
        session.change(payment_intent=intent.stripe_id)
    return intent


def setup_of(session: StoredObject, *, at: int) -> StoredObject:
    """The SetupIntent, locked: nothing is due now, but later."""
    if id := session.hidden.get("setup"):
        return store.get("setup_intent", id, lock=True)
    setup = setups.make_setup(
        at,
        parent=session,
        hidden={"session": session.stripe_id},
        customer=customer_id(session),
        payment_method_types=session.data["payment_method_types"],
        **session.hidden["setup_data"],
    )
    session.remember(setup=setup.stripe_id)
    if session.data["mode"] == "setup":
        session.change(setup_intent=setup.stripe_id)
    return setup


def find_question(session: StoredObject) -> StoredObject | None:
    """The intent of either kind that waits for 3-D Secure, locked."""
    intent = _find_intent(session)
    return intent if intent and intent.data["status"] == "requires_action" else None


def awaits_authentication(session: StoredObject) -> bool:
    """Whether the bank's 3-D Secure question is open; nothing is locked."""
    intent = _find_intent(session, lock=False)
    return intent is not None and intent.data["status"] == "requires_action"


def cancel_intent(session: StoredObject, *, at: int) -> None:
    """Whoever still has the bank's question open comes too late."""
    intent = _find_intent(session)
    if intent is None or intent.data["status"] == "canceled":
        return
    if intent.kind == "payment_intent":
        payments.cancel(intent, at=at, reason="automatic")
    else:
        setups.cancel_setup(intent, at=at)


def customer_id(session: StoredObject) -> str | None:
    """Named by the call, or made at the first try; the session itself shows the latter when it is complete."""
    return session.data["customer"] or session.hidden.get("customer")


def _find_intent(session: StoredObject, *, lock: bool = True) -> StoredObject | None:
    for kind, name in (("payment_intent", "intent"), ("setup_intent", "setup")):
        if id := session.hidden.get(name):
            return store.get(kind, id, lock=lock)
    return None
