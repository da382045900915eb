"""The customer's own page: another card, what they have subscribed to, their invoices."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, override, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stripe_emulator import clock, store
from stripe_emulator.behaviour import invoices, subscription_status, subscriptions
from stripe_emulator.behaviour.cards import TestMethod, find_by_number
from stripe_emulator.behaviour.customers import default_method_id, update_customer
from stripe_emulator.behaviour.payment_methods import attach, create_method
from stripe_emulator.errors import CardDeclined, Json, NoSuchObject
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.common import SeeOther, interval_in_words, local_datetime, localized_amount
from stripe_emulator.pages.forms import PORTAL_CARDS, reason_of

KIND = "billing_portal.session"
Page = Callable[[HttpRequest, StoredObject, StoredObject], HttpResponse]
MOST_INVOICES = 24
STATES: dict[str, Promise] = {
    "draft": pgettext_lazy("invoice", "not due yet"),
    "open": pgettext_lazy("invoice", "not paid"),
    "paid": pgettext_lazy("invoice", "paid"),
    "uncollectible": pgettext_lazy("invoice", "given up"),
    "void": pgettext_lazy("invoice", "void"),
}


def customer_page(page: Page) -> Callable[..., HttpResponse]:
    """The page of the session in the address and its customer, in the session's language."""

    @wraps(page)
    def view(request: HttpRequest, id: str) -> HttpResponse:
        try:
            session = store.get(KIND, id)
            customer = store.get_living("customer", session.data["customer"])
        except NoSuchObject:
            return render(request, "stripe_emulator/unknown.html", status=404)
        chosen = session.data["locale"] if session.data["locale"] in dict(settings.LANGUAGES) else get_language()
        with override(chosen):
            return page(request, session, customer)

    return never_cache(require_http_methods(["GET", "HEAD", "POST"])(view))


@customer_page
def portal_page(request: HttpRequest, session: StoredObject, customer: StoredObject) -> HttpResponse:
    """`/portal/bps_…`; a button does one thing and shows the page anew."""
    if request.method != "POST":
        return _shown(request, session, customer)
    if decline := _act(customer, request.POST.get("do", ""), request.POST.get("about", "")):
        return _shown(request, session, customer, problem=reason_of(decline), status=402)
    return SeeOther(f"{reverse('portal', args=[session.stripe_id])}?done")


def portal_summary(customer: StoredObject) -> Json:
    """Texts for the template, in the current language."""
    living = subscription_status.living(customer)
    invoices = store.find("invoice", customer=customer.stripe_id)[:MOST_INVOICES]
    return {
        "customer": customer.data,
        "card": _card(customer, list(living)),
        "cards": [(number, f"•••• {number[-4:]}", words) for number, words in PORTAL_CARDS],
        "subscriptions": [_subscription(each.data) for each in living],
        "invoices": [_invoice(each.data) for each in invoices],
    }


@transaction.atomic
def _act(customer: StoredObject, do: str, about: str) -> CardDeclined | None:
    """What the button says; nothing for what is not there or not theirs. A decline is an outcome, which is kept."""
    store.serialize_changes()
    customer = store.get("customer", customer.stripe_id, lock=True)
    try:
        if do == "card" and about in dict(PORTAL_CARDS):
            _replace_card(customer, find_by_number(about))
        elif do == "pay" and _is_open(customer, about):
            invoice, at = invoices.lock_invoice(about)
            invoices.pay_invoice(invoice, at=at)
        elif do in ("end", "keep") and (subscription := _living(customer, about)):
            at = clock.now_for(subscription)
            subscriptions.cancel_at_period_end(subscription, at=at, cancel=do == "end")
    except CardDeclined as decline:
        return decline
    return None


def _replace_card(customer: StoredObject, test: TestMethod) -> None:
    """From now on their subscriptions are paid with this card. Raises CardDeclined where it cannot even be kept."""
    at = clock.now_for(customer)
    details = {name: customer.data[name] for name in ("address", "email", "name", "phone")}
    method = create_method(at, test=test, parent=customer, billing_details=details)
    attach(method, customer, at)
    update_customer(customer, at=at, fields={}, default=method.stripe_id)
    for subscription in subscription_status.living(customer).select_for_update():
        if subscription.data["default_payment_method"]:
            changes: Json = {"default_payment_method": method.stripe_id}
            subscriptions.change_subscription(subscription, at=clock.now_for(subscription), **changes)


def _is_open(customer: StoredObject, id: str) -> bool:
    return store.find("invoice", customer=customer.stripe_id, status="open").filter(stripe_id=id).exists()


def _living(customer: StoredObject, id: str) -> StoredObject | None:
    return subscription_status.living(customer).filter(stripe_id=id).select_for_update().first()


def _shown(
    request: HttpRequest, session: StoredObject, customer: StoredObject, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context: Json = {"session": session.data, "problem": problem, "is_done": "done" in request.GET}
    return render(request, "stripe_emulator/portal.html", context | portal_summary(customer), status=status)


def _card(customer: StoredObject, living: list[StoredObject]) -> str:
    """What is paid with: the subscription's own method, else the customer's; "" for none."""
    choices = [*(each.data["default_payment_method"] for each in living), default_method_id(customer)]
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
        "price": localized_amount(item["price"]["unit_amount"], data["currency"]),
        "interval": interval_in_words(recurring["interval"], recurring["interval_count"]),
        "is_overdue": data["status"] in ("past_due", "unpaid"),
        "ends_at": local_datetime(data["cancel_at"]),
        "period_end": local_datetime(item["current_period_end"]),
    }


def _invoice(data: Json) -> Json:
    return {
        "id": data["id"],
        "number": data["number"] or data["id"],
        "made_at": local_datetime(data["created"]),
        "total": localized_amount(data["total"], data["currency"]),
        "state": STATES.get(data["status"], data["status"]),
        "is_open": data["status"] == "open",
    }
