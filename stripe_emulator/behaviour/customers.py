"""Customers and the ways to pay that they keep: https://docs.stripe.com/api/customers"""

from stripe_emulator import store
from stripe_emulator.behaviour.cards import card_declined
from stripe_emulator.behaviour.payment_methods import attach, get_or_create, require_unspent, test_method_of
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.account import CUSTOMER_DEFAULTS, new_customer


def create_customer(at: int, *, fields: Json, payment_method: str = "", default: str = "") -> StoredObject:
    """A new customer with the methods that they bring; the ids may be aliases such as "pm_card_visa".

    `default`: what they pay invoices with. Raises CardDeclined before there is a customer.
    """
    brought = {id: get_or_create(id, at=at) for id in (payment_method, default) if id}
    for method in brought.values():
        require_unspent(method)
        if test_method_of(method).decline_at_attach:
            raise card_declined(test_method_of(method).decline_code)
    customer = store.keep(new_customer(at, **_with_default(fields, brought.get(default))))
    emit("customer.created", customer, at=at)
    for method in brought.values():
        attach(method, customer, at)
    return customer


def update_customer(customer: StoredObject, *, at: int, fields: Json, default: str = "") -> None:
    """Other fields, another default method. Raises CardDeclined, StripeRefusal; nothing is changed then."""
    param = "invoice_settings[default_payment_method]"
    method = method_of_customer(default, customer, at=at, param=param) if default else None
    changed = {"invoice_settings": customer.data["invoice_settings"], **fields}
    if previous := customer.change(**_with_default(changed, method)):
        emit("customer.updated", customer, at=at, previous=previous)


def default_method_id(customer: StoredObject) -> str:
    """The id of what the customer pays invoices with; "" for none."""
    return customer.data["invoice_settings"]["default_payment_method"] or ""


def method_of_customer(id: str, customer: StoredObject, *, at: int, param: str) -> StoredObject:
    """The customer's method with this id; test aliases such as "pm_card_visa" become the customer's.

    Raises StripeRefusal for what belongs to somebody else.
    """
    method = get_or_create(id, at=at, parent=customer)
    if method.stripe_id != id:
        attach(method, customer, at)
    if method.data["customer"] != customer.stripe_id:
        message = f"The customer does not have a payment method with the ID {id}: it must be attached to the customer."
        raise StripeRefusal(message, code="resource_missing", param=param)
    return method


def _with_default(fields: Json, method: StoredObject | None) -> Json:
    """The fields with this default method, which wins over the one that they name."""
    if method is None:
        return fields
    settings: Json = fields.get("invoice_settings") or CUSTOMER_DEFAULTS["invoice_settings"]
    return {**fields, "invoice_settings": settings | {"default_payment_method": method.stripe_id}}
