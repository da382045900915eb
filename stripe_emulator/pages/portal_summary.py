"""What the portal says about a customer: the card that they pay with, their subscriptions, their invoices."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from stripe_emulator import store
from stripe_emulator.life import standing
from stripe_emulator.life.invoice_methods import customers_choice
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.pages.amounts import shown_amount
from stripe_emulator.pages.choices import PORTAL_CARDS
from stripe_emulator.pages.console.words import moment
from stripe_emulator.pages.summary import interval_in_words

MOST_INVOICES = 24
STATES: dict[str, Promise] = {
    "draft": pgettext_lazy("invoice", "not due yet"),
    "open": pgettext_lazy("invoice", "not paid"),
    "paid": pgettext_lazy("invoice", "paid"),
    "uncollectible": pgettext_lazy("invoice", "given up"),
    "void": pgettext_lazy("invoice", "void"),
}


def portal_summary(customer: StoredObject) -> Json:
    """Texts for the template, in the current language."""
    living = store.find("subscription", customer=customer.stripe_id).exclude(data__status__in=standing.ENDED)
    invoices = store.find("invoice", customer=customer.stripe_id)[:MOST_INVOICES]
    return {
        "customer": customer.data,
        "card": _card(customer, list(living)),
        "cards": [(number, f"•••• {number[-4:]}", words) for number, words in PORTAL_CARDS],
        "subscriptions": [_subscription(each.data) for each in living],
        "invoices": [_invoice(each.data) for each in invoices],
    }


def _card(customer: StoredObject, living: list[StoredObject]) -> str:
    """What is paid with: the subscription's own method, else the customer's; "" for none."""
    choices = [*(each.data["default_payment_method"] for each in living), customers_choice(customer)]
    id = next((each for each in choices if each), "")
    method = store.find("payment_method").filter(stripe_id=id).first()
    if method is None:
        return ""
    shown = method.data[method.data["type"]]
    return f"{(shown.get('brand') or 'SEPA').capitalize()} •••• {shown['last4']}"


def _subscription(data: Json) -> Json:
    (item, *_more) = data["items"]["data"]
    product = store.get("product", item["price"]["product"])
    recurring = item["price"]["recurring"]
    return {
        "id": data["id"],
        "name": product.data["name"],
        "price": shown_amount(item["price"]["unit_amount"], data["currency"]),
        "interval": interval_in_words(recurring["interval"], recurring["interval_count"]),
        "is_overdue": data["status"] in ("past_due", "unpaid"),
        "ends_at": moment(data["cancel_at"]),
        "period_end": moment(item["current_period_end"]),
    }


def _invoice(data: Json) -> Json:
    return {
        "id": data["id"],
        "number": data["number"] or data["id"],
        "made_at": moment(data["created"]),
        "total": shown_amount(data["total"], data["currency"]),
        "state": STATES.get(data["status"], data["status"]),
        "is_open": data["status"] == "open",
    }
