"""The life of a PaymentIntent: https://docs.stripe.com/payments/paymentintents/lifecycle"""

from stripe_emulator import store
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life.declines import DEBIT_FAILED, NOT_AUTHENTICATED, not_card_error
from stripe_emulator.life.following import tell_followers
from stripe_emulator.life.methods import belongs, outcome_of, refuse_spent
from stripe_emulator.life.outcomes import ask, charge_now, decline, fail, succeed
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.payment_intent import new_payment_intent
from stripe_emulator.timers import drop_timer, reacts_to

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
ALWAYS_FREE = frozenset({"description", "metadata", "receipt_email", "shipping", "transfer_group"})
AUTHENTICATION_FAILED = "payment_intent_authentication_failure"
DEBIT_REFUSED = "payment_intent_payment_attempt_failed"


def make_intent(
    at: int,
    *,
    amount: int,
    currency: str,
    parent: StoredObject | None = None,
    hidden: Json | None = None,
    **fields: object,
) -> StoredObject:
    """A new intent over this amount (minor units). `hidden`: what it pays for, such as `{"session": "cs_…"}`."""
    types = ["card", "sepa_debit"] if currency == "eur" else ["card"]
    asked = {"payment_method_types": types, **fields}
    intent = store.keep(
        new_payment_intent(at, amount=amount, currency=currency, **asked), parent=parent, **(hidden or {})
    )
    emit("payment_intent.created", intent, at=at)
    return intent


def update_intent(intent: StoredObject, *, fields: Json) -> None:
    """Set fields of the intent; most of them only while it is open. Raises StripeRefusal."""
    if not ALWAYS_FREE.issuperset(fields):
        must_be(intent, CONFIRMABLE, "updated")
    intent.change(**fields)


def confirm(intent: StoredObject, method: StoredObject, *, at: int, off_session: bool = False) -> None:
    """Try to pay with the method. Raises CardDeclined (kept: failed charge, events), StripeRefusal (nothing kept).

    Afterwards the intent is `succeeded`, `requires_capture`, `requires_action` or `processing`.
    """
    must_be(intent, CONFIRMABLE, "confirmed")
    _refuse_unfit(intent, method)
    intent.change(payment_method=method.stripe_id, last_payment_error=None, next_action=None)
    intent.remember(is_authenticated=False)
    if not _asks(method, off_session=off_session):
        charge_now(intent, method, at=at)
    elif off_session:
        decline(intent, method, at=at, decline_code="authentication_required")
    else:
        ask(intent, at=at)


def authenticate(intent: StoredObject, *, at: int, succeeded: bool) -> None:
    """The buyer has answered the 3-D Secure question. Raises CardDeclined: failed, or declined."""
    must_be(intent, ("requires_action",), "authenticated")
    method = store.get("payment_method", intent.data["payment_method"], param="payment_method")
    if succeeded:
        intent.remember(is_authenticated=True)
        method.remember(is_authenticated=True)
        charge_now(intent, method, at=at)
        return
    fail(intent, not_card_error(AUTHENTICATION_FAILED, NOT_AUTHENTICATED, method=method.data), at=at)
    raise CardDeclined(
        NOT_AUTHENTICATED, code=AUTHENTICATION_FAILED, payment_intent=intent.data, payment_method=method.data
    )


def settle(intent: StoredObject, *, at: int, succeeded: bool) -> None:
    """The debit that was under way has come to its end."""
    must_be(intent, ("processing",), "settled")
    drop_timer("payment_intent.settle", intent)
    charge = store.get("charge", intent.data["latest_charge"], lock=True)
    if succeeded:
        charge.change(status="succeeded", paid=True)
        emit("charge.succeeded", charge, at=at)
        succeed(intent, charge, at=at)
        return
    method = store.get("payment_method", charge.data["payment_method"])
    charge.change(
        status="failed", captured=False, amount_captured=0, failure_code=DEBIT_REFUSED, failure_message=DEBIT_FAILED
    )
    emit("charge.failed", charge, at=at)
    error = not_card_error(DEBIT_REFUSED, DEBIT_FAILED, method=method.data)
    fail(intent, error | {"charge": charge.stripe_id}, at=at)
    tell_followers(intent, at)


@reacts_to("payment_intent.settle")
def settle_as_foreseen(intent: StoredObject, at: int) -> None:
    """The bank account decides."""
    method = store.get("payment_method", intent.data["payment_method"])
    settle(intent, at=at, succeeded=outcome_of(method).settles is True)


def cancel(intent: StoredObject, *, at: int, reason: str | None = None) -> None:
    """Nobody will pay it any more; a reserved amount is released. Raises StripeRefusal when it is too late."""
    must_be(intent, CANCELABLE, "canceled")
    if intent.data["status"] == "requires_capture":
        charge = store.get("charge", intent.data["latest_charge"], lock=True)
        charge.change(refunded=True, amount_refunded=charge.data["amount"])
        emit("charge.refunded", charge, at=at)
    intent.change(
        status="canceled", canceled_at=at, cancellation_reason=reason or None, amount_capturable=0, next_action=None
    )
    emit("payment_intent.canceled", intent, at=at)


def capture(intent: StoredObject, *, at: int, amount: int | None = None) -> None:
    """Take the reserved amount, or less of it (minor units); the rest is released. Raises StripeRefusal."""
    must_be(intent, ("requires_capture",), "captured")
    reserved = intent.data["amount_capturable"]
    taken = reserved if amount is None else amount
    if not 0 < taken <= reserved:
        message = f"You cannot capture {taken}: the remaining amount to be captured is {reserved}."
        raise StripeRefusal(message, code="amount_too_large", param="amount_to_capture")
    charge = store.get("charge", intent.data["latest_charge"], lock=True)
    charge.change(captured=True, amount_captured=taken, amount_refunded=reserved - taken)
    emit("charge.captured", charge, at=at)
    succeed(intent, charge, at=at)


def must_be(intent: StoredObject, statuses: tuple[str, ...], done: str) -> None:
    """Raises StripeRefusal if the intent is in none of these."""
    status = intent.data["status"]
    if status not in statuses:
        message = (
            f"This PaymentIntent could not be {done} because it has a status of {status}. Only a PaymentIntent with "
            f"one of the following statuses may be {done}: {', '.join(statuses)}."
        )
        raise StripeRefusal(message, code="payment_intent_unexpected_state")


def _refuse_unfit(intent: StoredObject, method: StoredObject) -> None:
    refuse_spent(method)
    belongs(method, intent.data["customer"])
    kind, allowed = method.data["type"], intent.data["payment_method_types"]
    if kind not in allowed:
        message = f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent: {', '.join(allowed)}."
        raise StripeRefusal(message, code="payment_intent_incompatible_payment_method", param="payment_method")


def _asks(method: StoredObject, *, off_session: bool) -> bool:
    """Whether the bank wants 3-D Secure for this try."""
    test = outcome_of(method)
    is_known = off_session and test.is_reusable and method.hidden.get("is_authenticated")
    return test.needs_authentication and not is_known
