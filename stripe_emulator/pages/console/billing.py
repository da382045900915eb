"""Subscriptions and invoices in the console: their rows and their buttons."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from stripe_emulator import store
from stripe_emulator.behaviour import invoices, payment_methods, subscription_status, subscriptions
from stripe_emulator.errors import Json
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.common import local_datetime, localized_amount
from stripe_emulator.pages.console.actions import Kind, has_status, row_of
from stripe_emulator.pages.console.payments import by_id

SUBSCRIPTION = Kind("subscription", section="subscriptions")
INVOICE = Kind("invoice", section="subscriptions", lock=invoices.lock_invoice)
SUBSCRIPTIONS_SHOWN = 10


def _lives(subscription: StoredObject, *, ends: bool | None = None) -> bool:
    """Whether it has not ended; and is (not) going to end with its period, where that is asked."""
    is_over = subscription.data["status"] in subscription_status.ENDED
    return not is_over and ends in (None, subscription.data["cancel_at_period_end"])


def _pay_with(subscription: StoredObject, *, at: int, alias: str) -> None:
    """As a customer does who replaces their card."""
    customer = store.get("customer", subscription.data["customer"], lock=True)
    method = payment_methods.get_or_create(alias, at=at, parent=subscription)
    payment_methods.attach(method, customer, at)
    subscriptions.change_subscription(subscription, at=at, default_payment_method=method.stripe_id)


def _pay_invoice(invoice: StoredObject, *, at: int) -> None:
    """What the customer does on the page that the invoice links to."""
    invoices.pay_invoice(invoice, at=at, method=payment_methods.get_or_create("pm_card_visa", at=at, parent=invoice))


SUBSCRIPTION.offers(
    "subscription.cancel", _("Cancel now"), subscriptions.cancel_now,
    when=_lives, done=_("The subscription is canceled."),
)  # fmt: skip
SUBSCRIPTION.offers(
    "subscription.end", _("Cancel at period end"), subscriptions.cancel_at_period_end,
    when=partial(_lives, ends=False), done=_("The subscription ends with its period."),
)  # fmt: skip
SUBSCRIPTION.offers(
    "subscription.keep", _("Do not cancel"), partial(subscriptions.cancel_at_period_end, cancel=False),
    when=partial(_lives, ends=True), done=_("The subscription goes on after its period."),
)  # fmt: skip
SUBSCRIPTION.offers(
    "subscription.fail", _("Failing card"), partial(_pay_with, alias="pm_card_chargeCustomerFail"),
    when=_lives, done=_("Renewals will fail from now on."),
)  # fmt: skip
SUBSCRIPTION.offers(
    "subscription.succeed", _("Working card"), partial(_pay_with, alias="pm_card_visa"),
    when=_lives, done=_("Renewals will succeed from now on."),
)  # fmt: skip
INVOICE.offers(
    "invoice.pay", _("Pay (4242)"), _pay_invoice, when=has_status("open"), done=_("The invoice is paid.")
)  # fmt: skip


def subscription_rows() -> list[Json]:
    """The newest subscriptions, with the end of their period and the test method that renewals are tried with."""
    found = list(store.find("subscription")[:SUBSCRIPTIONS_SHOWN])
    methods = by_id(each.data["default_payment_method"] for each in found)
    return [_subscription_row(each, methods.get(each.data["default_payment_method"])) for each in found]


def _subscription_row(subscription: StoredObject, method: StoredObject | None) -> Json:
    (item, *_more), ends = subscription.data["items"]["data"], _lives(subscription, ends=True)
    return row_of(
        SUBSCRIPTION,
        subscription,
        what=localized_amount(item["price"]["unit_amount"], item["price"]["currency"]),
        more=method.hidden["test"] if method else "",
        detail="cancel_at_period_end" if ends else "",
        when=local_datetime(item["current_period_end"]),
    )
