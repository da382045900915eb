"""The customer's own page: another card, what they have subscribed to, their invoices."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stripe_emulator import clock, store
from stripe_emulator.errors import CardDeclined, Json, NoSuchObject
from stripe_emulator.life import invoices, standing, subscriptions
from stripe_emulator.life.cards import find_by_number
from stripe_emulator.life.portal import replace_card
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.answers import SeeOther
from stripe_emulator.pages.choices import PORTAL_CARDS, reason_of
from stripe_emulator.pages.portal_summary import portal_summary

KIND = "billing_portal.session"
Page = Callable[[HttpRequest, StoredObject, StoredObject], HttpResponse]


def of_customer(page: Page) -> Callable[..., HttpResponse]:
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


@of_customer
def portal_page(request: HttpRequest, session: StoredObject, customer: StoredObject) -> HttpResponse:
    """`/portal/bps_…`; a button does one thing and shows the page anew."""
    if request.method != "POST":
        return _shown(request, session, customer)
    if decline := _act(customer, request.POST.get("do", ""), request.POST.get("about", "")):
        return _shown(request, session, customer, problem=reason_of(decline), status=402)
    return SeeOther(f"{reverse('portal', args=[session.stripe_id])}?done")


@transaction.atomic
def _act(customer: StoredObject, do: str, about: str) -> CardDeclined | None:
    """What the button says; nothing for what is not there or not theirs. A decline is an outcome, which is kept."""
    store.one_at_a_time()
    customer = store.get("customer", customer.stripe_id, lock=True)
    try:
        if do == "card" and about in dict(PORTAL_CARDS):
            replace_card(customer, find_by_number(about))
        elif do == "pay" and _is_open(customer, about):
            invoice = invoices.hold(about)
            invoices.pay_invoice(invoice, at=clock.now_for(invoice))
        elif do in ("end", "keep") and (subscription := _living_subscription(customer, about)):
            at = clock.now_for(subscription)
            subscriptions.cancel_at_period_end(subscription, at=at, cancel=do == "end")
    except CardDeclined as decline:
        return decline
    return None


def _is_open(customer: StoredObject, id: str) -> bool:
    return store.find("invoice", customer=customer.stripe_id, status="open").filter(stripe_id=id).exists()


def _living_subscription(customer: StoredObject, id: str) -> StoredObject | None:
    rows = store.find("subscription", customer=customer.stripe_id).filter(stripe_id=id).select_for_update()
    return rows.exclude(data__status__in=standing.ENDED).first()


def _shown(
    request: HttpRequest, session: StoredObject, customer: StoredObject, *, problem: str = "", status: int = 200
) -> HttpResponse:
    told: Json = {"session": session.data, "problem": problem, "is_done": "done" in request.GET}
    return render(request, "stripe_emulator/portal.html", told | portal_summary(customer), status=status)
