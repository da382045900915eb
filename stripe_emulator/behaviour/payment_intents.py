"""The life of a PaymentIntent, and who follows it: https://docs.stripe.com/payments/paymentintents/lifecycle"""

from collections.abc import Callable
from typing import NoReturn

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.behaviour import cards, charges
from stripe_emulator.behaviour.disputes import INQUIRY, open_dispute
from stripe_emulator.behaviour.payment_methods import attach, require_owner, require_unspent, test_method_of
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.payment import new_payment_intent
from stripe_emulator.timers import drop_timer, reacts_to, set_timer

Observer = Callable[[StoredObject, int], None]
OBSERVERS: dict[str, Observer] = {}
NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED = "payment_intent_authentication_failure"
DEBIT_REFUSED = "payment_intent_payment_attempt_failed"
NOTHING_PENDING: Json = {"next_action": None, "last_payment_error": None}


def observes(name: str) -> Callable[[Observer], Observer]:
    """Register who is told about intents that keep `name` ("session", "invoice") in `hidden`.

    Called as `follower(intent, at)` after `payment_intent.succeeded`, after `payment_intent.processing`, and when a
    debit that was under way has failed (the status is `requires_payment_method` again). A card that is declined at
    once tells nobody: whoever confirmed gets CardDeclined.
    """

    def register(follower: Observer) -> Observer:
        OBSERVERS[name] = follower
        return follower

    return register


def notify_observers(intent: StoredObject, at: int) -> None:
    """Tell whoever this intent pays for."""
    for name, follower in OBSERVERS.items():
        if intent.hidden.get(name):
            follower(intent, at)


def create_intent(
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
    told = {"amount": amount, "currency": currency, "payment_method_types": types, **fields}
    intent = store.keep(new_payment_intent(at, **told), parent=parent, **(hidden or {}))
    emit("payment_intent.created", intent, at=at)
    return intent


def confirm(intent: StoredObject, method: StoredObject, *, at: int, off_session: bool = False) -> None:
    """Try to pay with the method. Raises CardDeclined (kept: failed charge, events), StripeRefusal (nothing kept).

    Afterwards the intent is `succeeded`, `requires_action` or `processing`.
    """
    require_status(intent, CONFIRMABLE, "confirmed")
    _require_fitting(intent, method)
    intent.change(payment_method=method.stripe_id, last_payment_error=None, next_action=None)
    intent.remember(is_authenticated=False)
    if not _needs_authentication(method, off_session=off_session):
        _charge(intent, method, at=at)
    elif off_session:
        _decline(intent, method, at=at, decline_code="authentication_required")
    else:
        require_action(intent, at=at)


def authenticate(intent: StoredObject, *, at: int, succeeded: bool) -> None:
    """The buyer has answered the 3-D Secure question. Raises CardDeclined: failed, or declined."""
    require_status(intent, ("requires_action",), "authenticated")
    method = store.get("payment_method", intent.data["payment_method"], param="payment_method")
    if succeeded:
        intent.remember(is_authenticated=True)
        method.remember(is_authenticated=True)
        _charge(intent, method, at=at)
        return
    code, message = AUTHENTICATION_FAILED, cards.NOT_AUTHENTICATED
    _fail(intent, cards.last_invalid_request_error(code, message, method=method.data), at=at)
    raise CardDeclined(message, code=code, payment_intent=intent.data, payment_method=method.data)


def settle(intent: StoredObject, *, at: int, succeeded: bool) -> None:
    """The debit that was under way has come to its end."""
    require_status(intent, ("processing",), "settled")
    drop_timer("payment_intent.settle", intent)
    charge = store.get("charge", intent.data["latest_charge"], lock=True)
    if succeeded:
        charge.change(status="succeeded", paid=True)
        emit("charge.succeeded", charge, at=at)
        _succeed(intent, charge, at=at)
        return
    method = store.get("payment_method", charge.data["payment_method"])
    failure = {"failure_code": DEBIT_REFUSED, "failure_message": cards.DEBIT_FAILED}
    charge.change(status="failed", captured=False, amount_captured=0, **failure)
    emit("charge.failed", charge, at=at)
    error = cards.last_invalid_request_error(DEBIT_REFUSED, cards.DEBIT_FAILED, method=method.data)
    _fail(intent, error | {"charge": charge.stripe_id}, at=at)
    notify_observers(intent, at)


@reacts_to("payment_intent.settle")
def settle_as_foreseen(intent: StoredObject, *, at: int) -> None:
    """The bank account decides."""
    method = store.get("payment_method", intent.data["payment_method"])
    settle(intent, at=at, succeeded=test_method_of(method).settles is True)


def cancel(intent: StoredObject, *, at: int, reason: str | None = None) -> None:
    """Nobody will pay it any more. Raises StripeRefusal when it is too late."""
    require_status(intent, CONFIRMABLE, "canceled")
    intent.change(status="canceled", canceled_at=at, cancellation_reason=reason or None, next_action=None)
    emit("payment_intent.canceled", intent, at=at)


def require_action(intent: StoredObject, *, at: int) -> None:
    """The bank wants to hear from the buyer (an intent of either kind); the console answers in the buyer's place."""
    url, return_url = f"{settings.STRIPE_EMULATOR_URL}/", intent.hidden.get("return_url")
    action: Json = {"type": "use_stripe_sdk", "use_stripe_sdk": {"stripe_js": url, "type": "three_d_secure_redirect"}}
    if return_url:
        action = {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    intent.change(status="requires_action", next_action=action)
    emit(f"{intent.kind}.requires_action", intent, at=at)


def require_status(intent: StoredObject, statuses: tuple[str, ...], done: str) -> None:
    """Raises StripeRefusal if the intent (of either kind) is in none of these."""
    status, name = intent.data["status"], NAMES[intent.kind]
    if status not in statuses:
        message = (
            f"This {name} could not be {done} because it has a status of {status}. Only a {name} with one of the "
            f"following statuses may be {done}: {', '.join(statuses)}."
        )
        raise StripeRefusal(message, code=f"{intent.kind}_unexpected_state")


def _require_fitting(intent: StoredObject, method: StoredObject) -> None:
    require_unspent(method)
    require_owner(method, intent.data["customer"])
    kind, allowed = method.data["type"], intent.data["payment_method_types"]
    if kind not in allowed:
        message = f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent: {', '.join(allowed)}."
        raise StripeRefusal(message, code="payment_intent_incompatible_payment_method", param="payment_method")


def _needs_authentication(method: StoredObject, *, off_session: bool) -> bool:
    """Whether the bank wants 3-D Secure for this try."""
    test = test_method_of(method)
    is_known = off_session and test.is_reusable and method.hidden.get("is_authenticated")
    return test.needs_authentication and not is_known


def _charge(intent: StoredObject, method: StoredObject, *, at: int) -> None:
    """Let the bank decide. Raises CardDeclined; what the try has left stays."""
    test = test_method_of(method)
    if test.decline_code:
        _decline(intent, method, at=at, decline_code=test.decline_code)
    _save_for_later(intent, method, at=at)
    if test.settles is not None:
        _start_debit(intent, method, at=at, seconds=test.settles_after)
    else:
        charge = charges.create_charge(intent, method, at=at, status="succeeded")
        emit("charge.succeeded", charge, at=at)
        _succeed(intent, charge, at=at)


def _succeed(intent: StoredObject, charge: StoredObject, *, at: int) -> None:
    """The money of this charge is here."""
    received = charge.data["amount_captured"]
    intent.change(status="succeeded", amount_received=received, **NOTHING_PENDING)
    emit("payment_intent.succeeded", intent, at=at)
    notify_observers(intent, at)
    charges.attach_balance(charge, at=at)
    test = test_method_of(store.get("payment_method", charge.data["payment_method"]))
    if test.warns:
        charges.warn_of_fraud(charge, at=at)
    if reason := test.disputes:
        open_dispute(charge, at=at, reason="fraudulent" if reason == INQUIRY else reason, inquiry=reason == INQUIRY)


def _decline(intent: StoredObject, method: StoredObject, *, at: int, decline_code: str) -> NoReturn:
    """The bank refuses. Raises CardDeclined."""
    charge = charges.create_charge(intent, method, at=at, status="failed", decline_code=decline_code)
    error = cards.last_card_error(decline_code, method=method.data, charge=charge.stripe_id)
    emit("charge.failed", charge, at=at)
    _fail(intent, error, at=at)
    left: Json = {"payment_intent": intent.data, "payment_method": method.data}
    raise cards.card_declined(decline_code, charge=charge.stripe_id, **left)


def _fail(intent: StoredObject, error: Json, *, at: int) -> None:
    """This try came to nothing; another one may follow. `error`: as `last_payment_error` keeps it."""
    intent.change(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    emit("payment_intent.payment_failed", intent, at=at)


def _save_for_later(intent: StoredObject, method: StoredObject, *, at: int) -> None:
    """Attached where the intent says so; else a method without a customer pays once only."""
    customer_id = intent.data["customer"]
    if customer_id and intent.data["setup_future_usage"]:
        attach(method, store.get("customer", customer_id, param="customer"), at)
    elif not method.data["customer"] and not intent.data["setup_future_usage"]:
        method.remember(is_spent=True)


def _start_debit(intent: StoredObject, method: StoredObject, *, at: int, seconds: int) -> None:
    charge = charges.create_charge(intent, method, at=at, status="pending")
    intent.change(status="processing", **NOTHING_PENDING)
    emit("payment_intent.processing", intent, at=at)
    emit("charge.pending", charge, at=at)
    set_timer("payment_intent.settle", intent, at=at + seconds)
    notify_observers(intent, at)
