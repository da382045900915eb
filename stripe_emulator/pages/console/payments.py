"""Checkout sessions, payments and disputes in the console: their rows and their buttons."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stripe_emulator import store
from stripe_emulator.behaviour import cards, checkout, disputes, payment_intents, payment_methods, refunds
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.common import amount_with_code, local_datetime, minor_units, state_class
from stripe_emulator.pages.console.actions import Button, Form, Kind, Row, locked

SESSION = Kind("checkout.session", section="sessions")
PAYMENT = Kind("payment_intent", section="payments")
DISPUTE = Kind("dispute", section="payments")
SESSIONS_SHOWN, PAYMENTS_SHOWN = 20, 20
BUYER = {"email": "buyer@example.com", "name": "Test Buyer"}


@dataclass(frozen=True, slots=True)
class Payment:
    """A PaymentIntent with its latest charge and the disputes about that."""

    intent: StoredObject
    charge: StoredObject | None
    disputes: list[StoredObject]

    @property
    def has_money(self) -> bool:
        """Whether something was paid that is not given back yet."""
        charge = self.charge.data if self.charge else {}
        return charge.get("status") == "succeeded" and charge["amount_refunded"] < charge["amount"]


def _is_open(session: StoredObject) -> bool:
    return bool(session.data["status"] == "open")


def _is_processing(payment: Payment) -> bool:
    return bool(payment.intent.data["status"] == "processing")


def _awaits_authentication(payment: Payment) -> bool:
    return bool(payment.intent.data["status"] == "requires_action")


def _can_be_refunded(payment: Payment) -> bool:
    """A bank that has taken its money back lets nobody refund it as well."""
    is_blocked = any(dispute.data["status"] in refunds.BLOCKING_DISPUTES for dispute in payment.disputes)
    return payment.has_money and not is_blocked


def _can_be_disputed(payment: Payment) -> bool:
    return payment.has_money and payment.charge is not None and not payment.charge.data["disputed"]


def _is_undecided(dispute: StoredObject) -> bool:
    return dispute.data["status"] in disputes.OPEN_STATUSES


@SESSION.action("session.pay", label=_("Pay (4242)"), offered=_is_open, done=_("The session is paid."))
def pay(id: str, form: Form) -> None:
    _pay_with(id, "pm_card_visa")


@SESSION.action(
    "session.decline",
    label=_("Decline (0002)"),
    offered=_is_open,
    done=_("The card was declined; the session stays open."),
)
def decline(id: str, form: Form) -> str | None:
    """The decline is what was asked for; a session that costs nothing is paid all the same."""
    try:
        _pay_with(id, "pm_card_chargeDeclined")
    except CardDeclined:
        return None
    return "session.pay"


@SESSION.action("session.expire", label=_("Expire"), offered=_is_open, done=_("The session has expired."))
def expire(id: str, form: Form) -> None:
    session, at = locked(SESSION.name, id)
    checkout.expire(session, at=at)


@PAYMENT.action("payment.settle", label=_("Debit succeeds"), offered=_is_processing, done=_("The debit has succeeded."))
def settle(id: str, form: Form) -> None:
    intent, at = _locked_intent(id)
    payment_intents.settle(intent, at=at, succeeded=True)


@PAYMENT.action("payment.bounce", label=_("Debit fails"), offered=_is_processing, done=_("The debit has failed."))
def bounce(id: str, form: Form) -> None:
    intent, at = _locked_intent(id)
    payment_intents.settle(intent, at=at, succeeded=False)


@PAYMENT.action(
    "payment.authenticate",
    label=_("Pass 3-D Secure"),
    offered=_awaits_authentication,
    done=_("3-D Secure was passed."),
)
def authenticate(id: str, form: Form) -> None:
    intent, at = _locked_intent(id)
    payment_intents.authenticate(intent, at=at, succeeded=True)


@PAYMENT.action(
    "payment.reject", label=_("Fail 3-D Secure"), offered=_awaits_authentication, done=_("3-D Secure has failed.")
)
def reject(id: str, form: Form) -> None:
    """The failure is what was asked for."""
    intent, at = _locked_intent(id)
    try:
        payment_intents.authenticate(intent, at=at, succeeded=False)
    except CardDeclined:
        return


@PAYMENT.action(
    "payment.refund",
    label=_("Refund payment"),
    offered=_can_be_refunded,
    amount_in=lambda payment: payment.charge.data["currency"].upper(),
    done=_("The refund is made."),
)
def refund(id: str, form: Form) -> None:
    charge, at = _locked_charge(id)
    refunds.refund(charge, at=at, amount=_amount(form.get(f"amount {id}", ""), charge.data["currency"]))


@PAYMENT.action("payment.dispute", label=_("Open dispute"), offered=_can_be_disputed, done=_("The dispute is open."))
def dispute(id: str, form: Form) -> None:
    charge, at = _locked_charge(id)
    disputes.open_dispute(charge, at=at)


@DISPUTE.action("dispute.win", label=_("Win dispute"), offered=_is_undecided, done=_("The dispute is won."))
def win(id: str, form: Form) -> None:
    _close(id, won=True)


@DISPUTE.action("dispute.lose", label=_("Lose dispute"), offered=_is_undecided, done=_("The dispute is lost."))
def lose(id: str, form: Form) -> None:
    _close(id, won=False)


def session_rows() -> list[Row]:
    """The newest Checkout sessions."""
    return [_session_row(each) for each in store.find("checkout.session")[:SESSIONS_SHOWN]]


def payment_rows() -> list[Row]:
    """The newest PaymentIntents, with their charges and disputes; a fixed number of queries."""
    return [_payment_row(each) for each in payments_of(list(store.find("payment_intent")[:PAYMENTS_SHOWN]))]


def payments_of(intents: list[StoredObject]) -> list[Payment]:
    """These PaymentIntents with what belongs to them."""
    charges = by_id(intent.data["latest_charge"] for intent in intents)
    of_charge = defaultdict(list)
    for each in store.find("dispute").filter(data__charge__in=list(charges)):
        of_charge[each.data["charge"]].append(each)
    latest = [(intent, intent.data["latest_charge"]) for intent in intents]
    return [Payment(intent, charges.get(charge), of_charge.get(charge, [])) for intent, charge in latest]


def payment_buttons(payment: Payment) -> list[Button]:
    """What the bank, the buyer or a person at the Dashboard could do to it."""
    of_disputes = [button for each in payment.disputes for button in DISPUTE.buttons(each.stripe_id, each)]
    return [*PAYMENT.buttons(payment.intent.stripe_id, payment), *of_disputes]


def by_id(ids: Iterable[str | None]) -> dict[str, StoredObject]:
    """The objects with these ids, where there are any."""
    found = StoredObject.objects.filter(stripe_id__in=[id for id in ids if id])
    return {each.stripe_id: each for each in found}


def _session_row(session: StoredObject) -> Row:
    data, lines = session.data, session.hidden.get("line_items") or [{}]
    is_complete = data["status"] == "complete"
    return Row(
        id=session.stripe_id,
        what=amount_with_code(data["amount_total"], data["currency"]),
        more=lines[0].get("description") or data["mode"],
        state=data["status"],
        detail=data["payment_status"] if is_complete else "",
        tone="open" if is_complete and data["payment_status"] == "unpaid" else state_class(data["status"]),
        when=local_datetime(session.created),
        url=urlsplit(data["url"] or "").path,
        buttons=SESSION.buttons(session.stripe_id, session),
    )


def _payment_row(payment: Payment) -> Row:
    data = payment.intent.data
    refunded = payment.charge.data["amount_refunded"] if payment.charge else 0
    return Row(
        id=payment.intent.stripe_id,
        what=amount_with_code(data["amount"], data["currency"]),
        more=amount_with_code(refunded, data["currency"]) if refunded else "",
        state=data["status"],
        tone=state_class(data["status"]),
        when=local_datetime(payment.intent.created),
        related=tuple((each.stripe_id, each.data["status"]) for each in payment.disputes),
        buttons=payment_buttons(payment),
    )


def _pay_with(id: str, alias: str) -> None:
    session, at = locked(SESSION.name, id)
    buyer = {"email": session.data["customer_email"] or BUYER["email"], "name": BUYER["name"]}
    test = cards.find_by_alias(alias)
    method = payment_methods.create_method(at, test=test, billing_details=buyer, parent=session)
    checkout.pay(session, method, at=at, billing=buyer)


def _close(id: str, *, won: bool) -> None:
    intent_id = store.get(DISPUTE.name, id).data["payment_intent"]
    if intent_id:
        _locked_charge(intent_id)
    found, at = locked(DISPUTE.name, id)
    disputes.close_dispute(found, at=at, won=won)


def _locked_intent(id: str) -> tuple[StoredObject, int]:
    """The intent, locked after what it pays for."""
    hidden = store.get(PAYMENT.name, id).hidden
    if session := hidden.get("session"):
        locked(SESSION.name, session)
    if invoice := hidden.get("invoice"):
        parent = store.get("invoice", invoice).data["parent"] or {}
        if subscription := (parent.get("subscription_details") or {}).get("subscription"):
            locked("subscription", subscription)
        locked("invoice", invoice)
    return locked(PAYMENT.name, id)


def _locked_charge(intent_id: str) -> tuple[StoredObject, int]:
    """The latest charge of the intent, both locked. Raises StripeRefusal when there is none."""
    intent, _at = _locked_intent(intent_id)
    if not intent.data["latest_charge"]:
        raise StripeRefusal(gettext("This payment has no charge."))
    return locked("charge", intent.data["latest_charge"])


def _amount(written: str, currency: str) -> int | None:
    """ "12.50" or "12,50" in minor units; None for all that is left. Raises StripeRefusal for what is no amount."""
    if not written.strip():
        return None
    found = minor_units(written, currency)
    if found is None:
        raise StripeRefusal(gettext("The amount is written with digits, such as 12.50."))
    return found
