"""The life of a SetupIntent: https://docs.stripe.com/payments/setupintents/lifecycle"""

from stripe_emulator import store
from stripe_emulator.behaviour import cards
from stripe_emulator.behaviour.payment_intents import CONFIRMABLE, require_action, require_status
from stripe_emulator.behaviour.payment_methods import attach, require_owner, require_unspent, test_method_of
from stripe_emulator.errors import CardDeclined, Json
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.payment import new_setup_intent

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
    require_status(setup, CONFIRMABLE, "confirmed")
    require_unspent(method)
    require_owner(method, setup.data["customer"])
    setup.change(payment_method=method.stripe_id, last_setup_error=None, next_action=None)
    test = test_method_of(method)
    if test.decline_at_attach:
        _fail(setup, cards.last_card_error(test.decline_code, method=method.data), at=at)
        raise cards.card_declined(test.decline_code, setup_intent=setup.data, payment_method=method.data)
    if test.needs_authentication:
        require_action(setup, at=at)
    else:
        _succeed(setup, method, at=at)


def authenticate_setup(setup: StoredObject, *, at: int, succeeded: bool) -> None:
    """The buyer has answered the 3-D Secure question. Raises CardDeclined when that failed."""
    require_status(setup, ("requires_action",), "authenticated")
    method = store.get("payment_method", setup.data["payment_method"], param="payment_method")
    if succeeded:
        method.remember(is_authenticated=True)
        _succeed(setup, method, at=at)
        return
    code, message = AUTHENTICATION_FAILED, cards.SETUP_NOT_AUTHENTICATED
    _fail(setup, cards.last_invalid_request_error(code, message, method=method.data), at=at)
    raise CardDeclined(message, code=code, setup_intent=setup.data, payment_method=method.data)


def cancel_setup(setup: StoredObject, *, at: int) -> None:
    """Nothing will be kept any more. Raises StripeRefusal when it is too late."""
    require_status(setup, CONFIRMABLE, "canceled")
    setup.change(status="canceled", next_action=None)
    emit("setup_intent.canceled", setup, at=at)


def _succeed(setup: StoredObject, method: StoredObject, *, at: int) -> None:
    if customer_id := setup.data["customer"]:
        attach(method, store.get("customer", customer_id, param="customer"), at)
    setup.change(status="succeeded", next_action=None, last_setup_error=None)
    emit("setup_intent.succeeded", setup, at=at)


def _fail(setup: StoredObject, error: Json, *, at: int) -> None:
    setup.change(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    emit("setup_intent.setup_failed", setup, at=at)
