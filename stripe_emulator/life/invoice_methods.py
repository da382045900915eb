"""What an invoice is paid with: https://docs.stripe.com/billing/subscriptions/payment-methods-setting"""

from stripe_emulator import store
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.life import methods, standing
from stripe_emulator.models import StoredObject


def default_method(invoice: StoredObject) -> StoredObject | None:
    """The invoice's own, else its subscription's, else its customer's; None if nobody has one."""
    subscription = standing.subscription_of(invoice)
    customer = store.get("customer", invoice.data["customer"])
    choices = (
        invoice.data["default_payment_method"],
        subscription.data["default_payment_method"] if subscription else None,
        customers_choice(customer),
    )
    chosen = next((each for each in choices if each), None)
    return store.find("payment_method").filter(stripe_id=chosen).first() if chosen else None


def customers_choice(customer: StoredObject) -> str:
    """The id of what the customer pays invoices with; "" for none."""
    settings = customer.data["invoice_settings"]
    return settings["default_payment_method"] or customer.data["default_source"] or ""


def of_customer(id: str, customer: StoredObject, *, at: int, param: str) -> StoredObject:
    """The customer's method with this id; test aliases such as "pm_card_visa" become the customer's.

    Raises StripeRefusal for what belongs to somebody else.
    """
    method = methods.usable(id, at=at, parent=customer)
    if method.stripe_id != id:
        methods.attach(method, customer, at)
    if method.data["customer"] != customer.stripe_id:
        message = f"The customer does not have a payment method with the ID {id}."
        raise StripeRefusal(
            f"{message} The payment method must be attached to the customer.", code="resource_missing", param=param
        )
    return method
