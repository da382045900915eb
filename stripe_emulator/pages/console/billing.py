"""Subscriptions and invoices in the console: their rows and their buttons."""

from django.utils.translation import gettext_lazy as _

from stripe_emulator import store
from stripe_emulator.behaviour import invoices, payment_methods, subscription_status, subscriptions
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.common import amount_with_code, local_datetime, state_class
from stripe_emulator.pages.console.actions import Form, Kind, Row, locked
from stripe_emulator.pages.console.payments import by_id

SUBSCRIPTION = Kind("subscription", section="subscriptions")
INVOICE = Kind("invoice", section="subscriptions")
SUBSCRIPTIONS_SHOWN = 10


def _lives(subscription: StoredObject) -> bool:
    return subscription.data["status"] not in subscription_status.ENDED


def _goes_on(subscription: StoredObject) -> bool:
    return _lives(subscription) and not subscription.data["cancel_at_period_end"]


def _is_going_to_end(subscription: StoredObject) -> bool:
    return _lives(subscription) and bool(subscription.data["cancel_at_period_end"])


def _is_open(invoice: StoredObject) -> bool:
    return bool(invoice.data["status"] == "open")


@SUBSCRIPTION.action(
    "subscription.cancel", label=_("Cancel now"), offered=_lives, done=_("The subscription is canceled.")
)
def cancel(id: str, form: Form) -> None:
    subscription, at = locked(SUBSCRIPTION.name, id)
    subscriptions.cancel_now(subscription, at=at)


@SUBSCRIPTION.action(
    "subscription.end",
    label=_("Cancel at period end"),
    offered=_goes_on,
    done=_("The subscription ends with its period."),
)
def end(id: str, form: Form) -> None:
    subscription, at = locked(SUBSCRIPTION.name, id)
    subscriptions.cancel_at_period_end(subscription, at=at)


@SUBSCRIPTION.action(
    "subscription.keep",
    label=_("Do not cancel"),
    offered=_is_going_to_end,
    done=_("The subscription goes on after its period."),
)
def keep(id: str, form: Form) -> None:
    subscription, at = locked(SUBSCRIPTION.name, id)
    subscriptions.cancel_at_period_end(subscription, at=at, cancel=False)


@SUBSCRIPTION.action(
    "subscription.fail", label=_("Failing card"), offered=_lives, done=_("Renewals will fail from now on.")
)
def fail(id: str, form: Form) -> None:
    _pay_from_now_on_with(id, "pm_card_chargeCustomerFail")


@SUBSCRIPTION.action(
    "subscription.succeed", label=_("Working card"), offered=_lives, done=_("Renewals will succeed from now on.")
)
def succeed(id: str, form: Form) -> None:
    _pay_from_now_on_with(id, "pm_card_visa")


@INVOICE.action("invoice.pay", label=_("Pay (4242)"), offered=_is_open, done=_("The invoice is paid."))
def pay(id: str, form: Form) -> None:
    """What the customer does on the page that the invoice links to."""
    invoice, at = locked(INVOICE.name, id)
    invoices.pay_invoice(invoice, at=at, method=payment_methods.get_or_create("pm_card_visa", at=at, parent=invoice))


def subscription_rows() -> list[Row]:
    """The newest subscriptions, with the end of their period and the test method that renewals are tried with."""
    found = list(store.find("subscription")[:SUBSCRIPTIONS_SHOWN])
    methods = by_id(each.data["default_payment_method"] for each in found)
    return [_subscription_row(each, methods.get(each.data["default_payment_method"])) for each in found]


def _subscription_row(subscription: StoredObject, method: StoredObject | None) -> Row:
    data = subscription.data
    items = data["items"]["data"]
    price = items[0]["price"] if items else {}
    return Row(
        id=subscription.stripe_id,
        what=amount_with_code(price.get("unit_amount"), price.get("currency")),
        more=method.hidden.get("test", "") if method else "",
        state=data["status"],
        detail="cancel_at_period_end" if data["cancel_at_period_end"] and not data["ended_at"] else "",
        tone=state_class(data["status"]),
        when=local_datetime(items[0].get("current_period_end")) if items else None,
        buttons=SUBSCRIPTION.buttons(subscription.stripe_id, subscription),
    )


def _pay_from_now_on_with(id: str, alias: str) -> None:
    """As a customer does who replaces their card."""
    subscription, at = locked(SUBSCRIPTION.name, id)
    customer = store.get("customer", subscription.data["customer"], lock=True)
    method = payment_methods.get_or_create(alias, at=at, parent=subscription)
    payment_methods.attach(method, customer, at)
    subscriptions.change_subscription(subscription, at=at, default_payment_method=method.stripe_id)
