"""The life of a SetupIntent: https://docs.stripe.com/payments/setupintents/lifecycle"""

from stripe_emulator import store
from stripe_emulator.behaviour.cards import (
    SETUP_NOT_AUTHENTICATED,
    card_declined,
    last_card_error,
    last_invalid_request_error,
)
from stripe_emulator.behaviour.payment_intents import authentication_action
from stripe_emulator.behaviour.payment_methods import attach, require_owner, require_unspent, test_method_of
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.payment import new_setup_intent

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED = "setup_intent_authentication_failure"


def create_setup(
    at: int, *, parent: StoredObject | None = None, hidden: Json | None = None, **fields: object
) -> StoredObject:
    """A new intent to keep a way to pay."""
    setup = store.keep(new_setup_intent(at, **fields), parent=parent, **(hidden or {}))
    emit("setup_intent.created", setup, at=at)
    return setup


def confirm_setup(setup: StoredObject, method: StoredObject, *, at: int) -> None:
    """Try to keep the method. Raises CardDeclined (kept: the failed try), StripeRefusal (nothing kept).

    Afterwards the intent is `succeeded` or `requires_action`.
    """
    _require_open(setup, "confirmed")
    require_unspent(method)
    require_owner(method, setup.data["customer"])
    setup.change(payment_method=method.stripe_id, last_setup_error=None, next_action=None)
    test = test_method_of(method)
    if test.decline_at_attach:
        _fail(setup, last_card_error(test.decline_code, method=method.data), at=at)
        raise card_declined(test.decline_code, setup_intent=setup.data, payment_method=method.data)
    if test.needs_authentication:
        setup.change(status="requires_action", next_action=authentication_action(setup.hidden.get("return_url")))
        emit("setup_intent.requires_action", setup, at=at)
    else:
        _succeed(setup, method, at=at)


def authenticate_setup(setup: StoredObject, *, at: int, succeeded: bool) -> None:
    """The buyer has answered the 3-D Secure question. Raises CardDeclined when that failed."""
    if setup.data["status"] != "requires_action":
        raise StripeRefusal("This SetupIntent waits for no authentication.", code="setup_intent_unexpected_state")
    method = store.get("payment_method", setup.data["payment_method"], param="payment_method")
    if succeeded:
        method.remember(is_authenticated=True)
        _succeed(setup, method, at=at)
        return
    _fail(setup, last_invalid_request_error(AUTHENTICATION_FAILED, SETUP_NOT_AUTHENTICATED, method=method.data), at=at)
    raise CardDeclined(
        SETUP_NOT_AUTHENTICATED, code=AUTHENTICATION_FAILED, setup_intent=setup.data, payment_method=method.data
    )


def cancel_setup(setup: StoredObject, *, at: int, reason: str | None = None) -> None:
    """Nothing will be kept any more. Raises StripeRefusal when it is too late."""
    _require_open(setup, "canceled")
    setup.change(status="canceled", cancellation_reason=reason or None, next_action=None)
    emit("setup_intent.canceled", setup, at=at)


def _require_open(setup: StoredObject, done: str) -> None:
    """Raises StripeRefusal if the intent has ended."""
    status = setup.data["status"]
    if status not in OPEN:
        message = (
            f"You cannot have this SetupIntent {done} because it has a status of {status}. Only a SetupIntent with "
            f"one of the following statuses may be {done}: {', '.join(OPEN)}."
        )
        raise StripeRefusal(message, code="setup_intent_unexpected_state")


def _succeed(setup: StoredObject, method: StoredObject, *, at: int) -> None:
    if customer_id := setup.data["customer"]:
        attach(method, store.get("customer", customer_id, param="customer"), at)
    setup.change(status="succeeded", next_action=None, last_setup_error=None)
    emit("setup_intent.succeeded", setup, at=at)


def _fail(setup: StoredObject, error: Json, *, at: int) -> None:
    setup.change(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    emit("setup_intent.setup_failed", setup, at=at)
