"""Customers and the ways to pay that they keep: https://docs.stripe.com/api/customers"""

from stripe_emulator import store
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life.declines import declined
from stripe_emulator.life.methods import attach, outcome_of, refuse_spent, usable
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.customer import USUAL, new_customer


def make_customer(
    at: int, *, fields: Json, payment_method: str = "", source: str = "", default: str = ""
) -> StoredObject:
    """A new customer with the methods that they bring; the ids may be aliases such as "pm_card_visa" or "tok_visa".

    `source` is the old way and becomes the default. Raises CardDeclined before there is a customer.
    """
    brought = {id: usable(id, at=at) for id in (payment_method, source, default) if id}
    for method in brought.values():
        refuse_spent(method)
        if outcome_of(method).decline_at_attach:
            raise declined(outcome_of(method).decline_code)
    customer = store.keep(new_customer(at, **fields | _defaults(fields, brought, source, default)))
    emit("customer.created", customer, at=at)
    for method in brought.values():
        attach(method, customer, at)
    return customer


def change_customer(customer: StoredObject, *, at: int, fields: Json, source: str = "", default: str = "") -> None:
    """Other fields, another default method. Raises CardDeclined, StripeRefusal; nothing is changed then."""
    brought = {id: _kept_by(customer, id, at=at) for id in (source, default) if id}
    known = {"invoice_settings": customer.data["invoice_settings"], **fields}
    previous = customer.change(**known | _defaults(known, brought, source, default))
    if previous:
        emit("customer.updated", customer, at=at, previous=previous)


def add_source(customer: StoredObject, source: str, *, at: int) -> StoredObject:
    """Keep a card the old way: https://docs.stripe.com/api/cards/create. Raises CardDeclined."""
    method = usable(source, at=at, parent=customer)
    attach(method, customer, at)
    if customer.data["default_source"] is None:
        previous = customer.change(default_source=method.stripe_id)
        emit("customer.updated", customer, at=at, previous=previous)
    return method


def _kept_by(customer: StoredObject, id: str, *, at: int) -> StoredObject:
    """The method as one of the customer's own: a new one is attached, another's is refused."""
    method = usable(id, at=at, parent=customer)
    is_new = method.stripe_id != id
    if not is_new and method.data["customer"] != customer.stripe_id:
        message = f"The customer does not have a payment method with the ID {id}."
        param = "invoice_settings[default_payment_method]"
        raise StripeRefusal(f"{message} The payment method must be attached to the customer.", param=param)
    attach(method, customer, at)
    return method


def _defaults(fields: Json, brought: dict[str, StoredObject], source: str, default: str) -> Json:
    """The fields that name the default method. Given anew, they win over those in `fields`."""
    changes: Json = {}
    if source:
        changes["default_source"] = brought[source].stripe_id
    if chosen := default or source:
        settings: Json = fields.get("invoice_settings") or USUAL["invoice_settings"]
        changes["invoice_settings"] = settings | {"default_payment_method": brought[chosen].stripe_id}
    return changes
