"""Buttons of sessions, payments and disputes."""

from django.utils.translation import gettext as _

from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.life import cards, checkout, disputes, methods, payments, refunds
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.console.actions import Given, action, locked
from stripe_emulator.pages.console.words import minor
from stripe_emulator.store import get

SESSION, INTENT = "checkout.session", "payment_intent"
BUYER = {"email": "buyer@example.com", "name": "Test Buyer"}


@action("session.pay", section="sessions", kind=SESSION)
def pay(id: str, given: Given) -> None:
    _pay_with(id, "pm_card_visa")


@action("session.decline", section="sessions", kind=SESSION)
def decline(id: str, given: Given) -> str | None:
    """The decline is what was asked for; a session that costs nothing is paid all the same."""
    try:
        _pay_with(id, "pm_card_chargeDeclined")
    except CardDeclined:
        return None
    return "session.pay"


def _pay_with(id: str, alias: str) -> None:
    session, at = locked(SESSION, id)
    buyer = {"email": session.data["customer_email"] or BUYER["email"], "name": BUYER["name"]}
    test = cards.find_by_alias(alias)
    method = methods.make_method(at, test=test, billing_details=buyer, parent=session)
    checkout.pay(session, method, at=at, billing=buyer)


@action("session.expire", section="sessions", kind=SESSION)
def expire(id: str, given: Given) -> None:
    session, at = locked(SESSION, id)
    checkout.expire(session, at=at)


@action("payment.settle", section="payments", kind=INTENT)
def settle(id: str, given: Given) -> None:
    intent, at = _intent(id)
    payments.settle(intent, at=at, succeeded=True)


@action("payment.bounce", section="payments", kind=INTENT)
def bounce(id: str, given: Given) -> None:
    intent, at = _intent(id)
    payments.settle(intent, at=at, succeeded=False)


@action("payment.authenticate", section="payments", kind=INTENT)
def authenticate(id: str, given: Given) -> None:
    intent, at = _intent(id)
    payments.authenticate(intent, at=at, succeeded=True)


@action("payment.reject", section="payments", kind=INTENT)
def reject(id: str, given: Given) -> None:
    """The failure is what was asked for."""
    intent, at = _intent(id)
    try:
        payments.authenticate(intent, at=at, succeeded=False)
    except CardDeclined:
        return


@action("payment.refund", section="payments", kind=INTENT)
def refund(id: str, given: Given) -> None:
    charge, at = _charge_of(id)
    refunds.refund(charge, at=at, amount=_amount(given.get(f"amount {id}", ""), charge.data["currency"]))


@action("payment.dispute", section="payments", kind=INTENT)
def dispute(id: str, given: Given) -> None:
    charge, at = _charge_of(id)
    disputes.open_dispute(charge, at=at)


@action("dispute.win", section="payments", kind="dispute")
def win(id: str, given: Given) -> None:
    _close(id, won=True)


@action("dispute.lose", section="payments", kind="dispute")
def lose(id: str, given: Given) -> None:
    _close(id, won=False)


def _close(id: str, *, won: bool) -> None:
    intent_id = get("dispute", id).data["payment_intent"]
    if intent_id:
        _charge_of(intent_id)
    dispute, at = locked("dispute", id)
    disputes.close_dispute(dispute, at=at, won=won)


def _intent(id: str) -> tuple[StoredObject, int]:
    """The intent, locked after what it pays for."""
    hidden = get(INTENT, id).hidden
    if session := hidden.get("session"):
        locked(SESSION, session)
    if invoice := hidden.get("invoice"):
        parent = get("invoice", invoice).data["parent"] or {}
        if subscription := (parent.get("subscription_details") or {}).get("subscription"):
            locked("subscription", subscription)
        locked("invoice", invoice)
    return locked(INTENT, id)


def _charge_of(intent_id: str) -> tuple[StoredObject, int]:
    """The latest charge of the intent, both locked. Raises StripeRefusal when there is none."""
    intent, _at = _intent(intent_id)
    if not intent.data["latest_charge"]:
        raise StripeRefusal(_("This payment has no charge."))
    return locked("charge", intent.data["latest_charge"])


def _amount(written: str, currency: str) -> int | None:
    """ "12.50" or "12,50" in minor units; None for all that is left. Raises StripeRefusal for what is no amount."""
    if not written.strip():
        return None
    found = minor(written, currency)
    if found is None:
        raise StripeRefusal(_("The amount is written with digits, such as 12.50."))
    return found
