"""Payment methods: made of test numbers, aliases or parameters, and attached to customers."""

import hashlib
from datetime import UTC, datetime

from stripe_emulator import store
from stripe_emulator.behaviour import cards
from stripe_emulator.behaviour.cards import TestMethod, card_declined
from stripe_emulator.errors import Json, StripeRefusal, require_param
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.payment import billing_details as complete
from stripe_emulator.objects.payment import card_fields, debit_fields, new_payment_method

USUAL_MONTH, YEARS_VALID = 12, 3
EXPIRY_FIELDS = ("exp_month", "exp_year")
METHOD_TYPES = ("card", "sepa_debit")
COPIED_TO_METHOD = ("billing_details", "allow_redisplay", "metadata")


def create_method(
    at: int,
    *,
    test: TestMethod,
    billing_details: Json | None = None,
    parent: StoredObject | None = None,
    expiry: Json | None = None,
    **fields: object,
) -> StoredObject:
    """A new way to pay, attached to nobody. `expiry`: `exp_month` and `exp_year` of a card, if they were told."""
    mark = hashlib.sha256(test.number.encode()).hexdigest()[:16]
    is_card = test.type == "card"
    details = {test.type: _card(test, at, mark, expiry or {}) if is_card else debit_fields(test.number, mark)}
    method = new_payment_method(at, type=test.type, billing_details=complete(billing_details), **details, **fields)
    return store.keep(method, parent=parent, test=test.name)


def test_method_of(method: StoredObject) -> TestMethod:
    """What will come of it."""
    return cards.BY_NAME[method.hidden["test"]]


def get_or_create(id_or_alias: str, *, at: int, parent: StoredObject | None = None) -> StoredObject:
    """The stored method, or a new one for an alias such as "pm_card_visa". Raises NoSuchObject."""
    found = store.find("payment_method").filter(stripe_id=id_or_alias).first()
    return found or create_method(at, test=cards.find_by_alias(id_or_alias), parent=parent)


def attach(method: StoredObject, customer: StoredObject, at: int) -> None:
    """Keep it with the customer. Raises StripeRefusal for what was used up, CardDeclined for what the bank refuses."""
    if method.data["customer"] == customer.stripe_id:
        return
    require_unspent(method)
    if method.data["customer"]:
        message = "The payment method you provided has already been attached to a customer."
        raise StripeRefusal(message, code="payment_method_unexpected_state", param="payment_method")
    test = test_method_of(method)
    if test.decline_at_attach:
        raise card_declined(test.decline_code)
    method.change(customer=customer.stripe_id)
    emit("payment_method.attached", method, at=at)


def require_unspent(method: StoredObject) -> None:
    """Raises StripeRefusal for a method that has paid without a customer: it cannot be used again.

    https://docs.stripe.com/payments/payment-methods#reuse
    """
    if method.hidden.get("is_spent"):
        message = (
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
        raise StripeRefusal(message, code="payment_method_unexpected_state", param="payment_method")


def require_owner(method: StoredObject, customer_id: str | None) -> None:
    """Raises StripeRefusal if the method is another customer's."""
    owner = method.data["customer"]
    if owner and owner != customer_id:
        message = f"The PaymentMethod {method.stripe_id} belongs to the Customer {owner}."
        raise StripeRefusal(f"{message} You must supply this Customer.", param="payment_method")


def create_from_params(data: Json, *, at: int) -> StoredObject:
    """The method that the parameters of its creation describe. Raises StripeRefusal."""
    kind = data.get("type", "")
    if kind not in METHOD_TYPES:
        raise StripeRefusal(f"Invalid type: must be one of {', '.join(METHOD_TYPES)}", param="type")
    details = data.get(kind) or {}
    if kind == "sepa_debit":
        test = cards.find_by_iban(str(require_param(details, "iban", inside=kind)))
        for name in ("name", "email"):  # https://docs.stripe.com/payments/sepa-debit/accept-a-payment
            require_param(data.get("billing_details") or {}, name, inside="billing_details")
    elif "token" in details:
        test = cards.find_by_alias(details["token"])
    else:
        test = cards.find_by_number(str(require_param(details, "number", inside=kind)))
    copied = {name: data[name] for name in COPIED_TO_METHOD if data.get(name)}
    return create_method(at, test=test, expiry=_expiry_of(details), **copied)


def _card(test: TestMethod, at: int, mark: str, expiry: Json) -> Json:
    """The `card` that a method of this kind shows."""
    valid = {"exp_month": USUAL_MONTH, "exp_year": datetime.fromtimestamp(at, UTC).year + YEARS_VALID, **expiry}
    about = {"country": test.country, "funding": test.funding, "last4": test.number[-4:]}
    return card_fields(test.brand, fingerprint=mark, **about, **valid)


def _expiry_of(card: Json) -> Json:
    """`exp_month` and `exp_year` as whole numbers, if they are told. Raises StripeRefusal."""
    try:
        expiry = {name: int(card[name]) for name in EXPIRY_FIELDS if name in card}
    except ValueError:
        expiry = {"exp_month": 0}
    if not 1 <= expiry.get("exp_month", 1) <= 12:
        message = "Your card's expiration month is invalid."
        raise StripeRefusal(message, code="invalid_expiry_month", param="exp_month", status=402, type="card_error")
    return expiry
