"""What a try to pay leads to: success, a reserved amount, a debit under way, a question, a refusal."""

from typing import NoReturn

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.events.emit import emit
from stripe_emulator.life import charges
from stripe_emulator.life.declines import as_last_error, declined
from stripe_emulator.life.disputes import INQUIRY, open_dispute
from stripe_emulator.life.following import tell_followers
from stripe_emulator.life.methods import attach, outcome_of
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.timers import set_timer

NOTHING_OPEN: Json = {"next_action": None, "last_payment_error": None}


def charge_now(intent: StoredObject, method: StoredObject, *, at: int) -> None:
    """Let the bank decide. Raises CardDeclined; what the try has left stays."""
    test = outcome_of(method)
    if test.decline_code:
        decline(intent, method, at=at, decline_code=test.decline_code)
    _keep_for_later(intent, method, at=at)
    if test.settles is not None:
        _start_debit(intent, method, at=at, seconds=test.settles_after)
    elif intent.data["capture_method"] == "manual":
        _reserve(intent, method, at=at)
    else:
        charge = charges.make_succeeded(intent, method, at=at, is_captured=True)
        emit("charge.succeeded", charge, at=at)
        succeed(intent, charge, at=at)


def succeed(intent: StoredObject, charge: StoredObject, *, at: int) -> None:
    """The money of this charge is here."""
    received = charge.data["amount_captured"]
    intent.change(status="succeeded", amount_received=received, amount_capturable=0, **NOTHING_OPEN)
    emit("payment_intent.succeeded", intent, at=at)
    tell_followers(intent, at)
    charges.attach_balance(charge, at=at)
    method = store.get("payment_method", charge.data["payment_method"])
    if reason := outcome_of(method).disputes:
        open_dispute(charge, at=at, reason="fraudulent" if reason == INQUIRY else reason, inquiry=reason == INQUIRY)


def decline(intent: StoredObject, method: StoredObject, *, at: int, decline_code: str) -> NoReturn:
    """The bank refuses. Raises CardDeclined."""
    charge = charges.make_failed(intent, method, at=at, decline_code=decline_code)
    error = as_last_error(decline_code, method=method.data, charge=charge.stripe_id)
    emit("charge.failed", charge, at=at)
    fail(intent, error, at=at)
    raise declined(decline_code, charge=charge.stripe_id, payment_intent=intent.data, payment_method=method.data)


def fail(intent: StoredObject, error: Json, *, at: int) -> None:
    """This try came to nothing; another one may follow. `error`: as `last_payment_error` keeps it."""
    intent.change(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    emit("payment_intent.payment_failed", intent, at=at)


def ask(intent: StoredObject, *, at: int) -> None:
    """The bank wants to hear from the buyer."""
    intent.change(status="requires_action", next_action=question(intent.hidden.get("return_url")))
    emit("payment_intent.requires_action", intent, at=at)


def question(return_url: str | None) -> Json:
    """`next_action` of an intent that waits for 3-D Secure; the console answers in the buyer's place."""
    url = f"{settings.STRIPE_EMULATOR_URL}/"
    if return_url:
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"stripe_js": url, "type": "three_d_secure_redirect"}}


def _keep_for_later(intent: StoredObject, method: StoredObject, *, at: int) -> None:
    """Attached where the intent says so; else a method without a customer pays once only."""
    customer_id = intent.data["customer"]
    if customer_id and intent.data["setup_future_usage"]:
        attach(method, store.get("customer", customer_id, param="customer"), at)
    elif not method.data["customer"] and not intent.data["setup_future_usage"]:
        method.remember(is_spent=True)


def _start_debit(intent: StoredObject, method: StoredObject, *, at: int, seconds: int) -> None:
    charge = charges.make_pending(intent, method, at=at)
    intent.change(status="processing", **NOTHING_OPEN)
    emit("payment_intent.processing", intent, at=at)
    emit("charge.pending", charge, at=at)
    set_timer("payment_intent.settle", intent, at=at + seconds)
    tell_followers(intent, at)


def _reserve(intent: StoredObject, method: StoredObject, *, at: int) -> None:
    charge = charges.make_succeeded(intent, method, at=at, is_captured=False)
    intent.change(status="requires_capture", amount_capturable=charge.data["amount"], **NOTHING_OPEN)
    emit("charge.succeeded", charge, at=at)
    emit("payment_intent.amount_capturable_updated", intent, at=at)
