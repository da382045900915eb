"""Buttons of subscriptions and their invoices."""

from stripe_emulator import store
from stripe_emulator.life import invoices, methods, subscriptions
from stripe_emulator.pages.console.actions import Given, action, locked

SUBSCRIPTION = "subscription"


@action("subscription.cancel", section="subscriptions", kind=SUBSCRIPTION)
def cancel(id: str, given: Given) -> None:
    subscription, at = locked(SUBSCRIPTION, id)
    subscriptions.cancel_now(subscription, at=at)


@action("subscription.end", section="subscriptions", kind=SUBSCRIPTION)
def end(id: str, given: Given) -> None:
    subscription, at = locked(SUBSCRIPTION, id)
    subscriptions.cancel_at_period_end(subscription, at=at)


@action("subscription.keep", section="subscriptions", kind=SUBSCRIPTION)
def keep(id: str, given: Given) -> None:
    subscription, at = locked(SUBSCRIPTION, id)
    subscriptions.cancel_at_period_end(subscription, at=at, cancel=False)


@action("subscription.fail", section="subscriptions", kind=SUBSCRIPTION)
def fail(id: str, given: Given) -> None:
    _pay_from_now_on_with(id, "pm_card_chargeCustomerFail")


@action("subscription.succeed", section="subscriptions", kind=SUBSCRIPTION)
def succeed(id: str, given: Given) -> None:
    _pay_from_now_on_with(id, "pm_card_visa")


def _pay_from_now_on_with(id: str, alias: str) -> None:
    """As a customer does who replaces their card."""
    subscription, at = locked(SUBSCRIPTION, id)
    customer = store.get("customer", subscription.data["customer"], lock=True)
    method = methods.usable(alias, at=at, parent=subscription)
    methods.attach(method, customer, at)
    subscriptions.change(subscription, at=at, default_payment_method=method.stripe_id)


@action("invoice.pay", section="subscriptions", kind="invoice")
def pay(id: str, given: Given) -> None:
    invoice, at = locked("invoice", id)
    invoices.pay_invoice(invoice, at=at, method=methods.usable("pm_card_visa", at=at, parent=invoice))
