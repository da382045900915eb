"""Checkout sessions, payments and disputes in the console: their rows and their buttons."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stripe_emulator import store
from stripe_emulator.behaviour import cards, checkout, disputes, invoices, payment_intents, payment_methods, refunds
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.common import localized_amount, minor_units
from stripe_emulator.pages.console.actions import Button, Form, Kind, has_status, row_of


def _locked_intent(id: str) -> tuple[StoredObject, int]:
    """The intent, locked after what it pays for."""
    hidden = store.get("payment_intent", id).hidden
    if session := hidden.get("session"):
        store.locked("checkout.session", session)
    if invoice := hidden.get("invoice"):
        invoices.lock_invoice(invoice)
    return store.locked("payment_intent", id)


def _locked_charge(intent_id: str) -> tuple[StoredObject, int]:
    """The latest charge of the intent, both locked. Raises StripeRefusal when there is none."""
    intent, _now = _locked_intent(intent_id)
    if not intent.data["latest_charge"]:
        raise StripeRefusal(gettext("This payment has no charge."))
    return store.locked("charge", intent.data["latest_charge"])


def _locked_dispute(id: str) -> tuple[StoredObject, int]:
    """The dispute, locked after its payment."""
    if intent_id := store.get("dispute", id).data["payment_intent"]:
        _locked_charge(intent_id)
    return store.locked("dispute", id)


SESSION = Kind("checkout.session", section="sessions")
PAYMENT = Kind("payment_intent", section="payments", lock=_locked_intent)
DISPUTE = Kind("dispute", section="payments", lock=_locked_dispute)
SESSIONS_SHOWN, PAYMENTS_SHOWN = 20, 20
BUYER = {"email": "buyer@example.com", "name": "Test Buyer"}


@dataclass(frozen=True, slots=True)
class Payment:
    """A PaymentIntent with its latest charge and the disputes about that."""

    intent: StoredObject
    charge: StoredObject | None
    disputes: list[StoredObject]

    @property
    def data(self) -> Json:
        """The intent's."""
        return self.intent.data

    @property
    def has_money(self) -> bool:
        """Whether something was paid that is not given back yet."""
        charge = self.charge.data if self.charge else {}
        return charge.get("status") == "succeeded" and charge["amount_refunded"] < charge["amount"]


def _can_be_refunded(payment: Payment) -> bool:
    """A bank that has taken its money back lets nobody refund it as well."""
    is_blocked = any(dispute.data["status"] in refunds.BLOCKING_DISPUTES for dispute in payment.disputes)
    return payment.has_money and not is_blocked


def _can_be_disputed(payment: Payment) -> bool:
    return payment.has_money and payment.charge is not None and not payment.charge.data["disputed"]


def _pay_with(session: StoredObject, *, at: int, alias: str = "pm_card_visa") -> None:
    buyer = {**BUYER, "email": session.data["customer_email"] or BUYER["email"]}
    test = cards.find_by_alias(alias)
    method = payment_methods.create_method(at, test=test, billing_details=buyer, parent=session)
    checkout.pay(session, method, at=at, billing=buyer)


def _fail_authentication(intent: StoredObject, *, at: int) -> None:
    """The failure is what was asked for."""
    with suppress(CardDeclined):
        payment_intents.authenticate(intent, at=at, succeeded=False)


SESSION.offers(
    "session.pay", _("Pay (4242)"), _pay_with, when=has_status("open"), done=_("The session is paid.")
)  # fmt: skip


@SESSION.action(
    "session.decline",
    label=_("Decline (0002)"),
    offered=has_status("open"),
    done=_("The card was declined; the session stays open."),
)
def decline(id: str, form: Form) -> str | None:
    """The decline is what was asked for; a session that costs nothing is paid all the same."""
    session, at = SESSION.locked(id)
    try:
        _pay_with(session, at=at, alias="pm_card_chargeDeclined")
    except CardDeclined:
        return None
    return "session.pay"


SESSION.offers(
    "session.expire", _("Expire"), checkout.expire, when=has_status("open"), done=_("The session has expired.")
)  # fmt: skip
PAYMENT.offers(
    "payment.settle", _("Debit succeeds"), partial(payment_intents.settle, succeeded=True),
    when=has_status("processing"), done=_("The debit has succeeded."),
)  # fmt: skip
PAYMENT.offers(
    "payment.bounce", _("Debit fails"), partial(payment_intents.settle, succeeded=False),
    when=has_status("processing"), done=_("The debit has failed."),
)  # fmt: skip
PAYMENT.offers(
    "payment.authenticate", _("Pass 3-D Secure"), partial(payment_intents.authenticate, succeeded=True),
    when=has_status("requires_action"), done=_("3-D Secure was passed."),
)  # fmt: skip
PAYMENT.offers(
    "payment.reject", _("Fail 3-D Secure"), _fail_authentication,
    when=has_status("requires_action"), done=_("3-D Secure has failed."),
)  # fmt: skip


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


@PAYMENT.action(
    "payment.dispute", label=_("Open dispute"), offered=_can_be_disputed, done=_("The dispute is open.")
)  # fmt: skip
def dispute(id: str, form: Form) -> None:
    """Of the amount that stands beside the refund, or of all that is left."""
    charge, at = _locked_charge(id)
    disputes.open_dispute(charge, at=at, amount=_amount(form.get(f"amount {id}", ""), charge.data["currency"]))


@PAYMENT.action(
    "payment.prevent", label=_("Settle before a dispute"), offered=_can_be_disputed,
    done=_("The card network has settled it with the buyer: the money is gone."),
)  # fmt: skip
def prevent(id: str, form: Form) -> None:
    charge, at = _locked_charge(id)
    disputes.prevent_dispute(charge, at=at, amount=_amount(form.get(f"amount {id}", ""), charge.data["currency"]))


def _answer(dispute: StoredObject, *, at: int) -> None:
    """With a text that decides nothing: whoever plays the bank presses another button afterwards."""
    text = {"uncategorized_text": "See the evidence pack."}
    disputes.update_dispute(dispute, at=at, evidence=text, metadata=dispute.data["metadata"], submit=True)


DISPUTE.offers(
    "dispute.answer", _("Submit evidence"), _answer,
    when=has_status(*disputes.AWAITING_ANSWER), done=_("The evidence is with the bank."),
)  # fmt: skip
DISPUTE.offers(
    "dispute.win", _("Win dispute"), partial(disputes.close_dispute, won=True),
    when=has_status(*disputes.OPEN_STATUSES), done=_("The dispute is won."),
)  # fmt: skip
DISPUTE.offers(
    "dispute.lose", _("Lose dispute"), partial(disputes.close_dispute, won=False),
    when=has_status(*disputes.OPEN_STATUSES), done=_("The dispute is lost."),
)  # fmt: skip


def session_rows() -> list[Json]:
    """The newest Checkout sessions."""
    return [_session_row(each) for each in store.find("checkout.session")[:SESSIONS_SHOWN]]


def payment_rows() -> list[Json]:
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


def _session_row(session: StoredObject) -> Json:
    data, (line, *_more) = session.data, session.hidden["line_items"] or [{}]
    is_complete = data["status"] == "complete"
    details = {"detail": data["payment_status"]} if is_complete else {}
    if is_complete and data["payment_status"] == "unpaid":
        details["tone"] = "open"
    what = localized_amount(data["amount_total"], data["currency"])
    more, url = line.get("description") or data["mode"], urlsplit(data["url"] or "").path
    return row_of(SESSION, session, what=what, more=more, url=url, **details)


def _payment_row(payment: Payment) -> Json:
    currency, refunded = payment.data["currency"], payment.charge.data["amount_refunded"] if payment.charge else 0
    return row_of(
        PAYMENT,
        payment.intent,
        what=localized_amount(payment.data["amount"], currency),
        more=localized_amount(refunded, currency) if refunded else "",
        related=[(each.stripe_id, each.data["status"]) for each in payment.disputes],
        buttons=payment_buttons(payment),
    )


def _amount(written: str, currency: str) -> int | None:
    """ "12.50" or "12,50" in minor units; None for all that is left. Raises StripeRefusal for what is no amount."""
    if not written.strip():
        return None
    found = minor_units(written, currency)
    if found is None:
        raise StripeRefusal(gettext("The amount is written with digits, such as 12.50."))
    return found
