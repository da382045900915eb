"""The buyer's page: shows a session, takes the payment, asks the bank's question, sends the buyer onward."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext, gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stripe_emulator import store
from stripe_emulator.behaviour.checkout import answer_authentication, awaits_authentication, pay
from stripe_emulator.behaviour.payment_methods import create_method
from stripe_emulator.errors import CardDeclined, Json, NoSuchObject
from stripe_emulator.events.deliver import wait_for_acknowledgement
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.common import SeeOther, interval_in_words, localized_amount
from stripe_emulator.pages.forms import PayForm, reason_of

LONGEST_WAIT = 10  # seconds: https://docs.stripe.com/checkout/fulfillment
SESSION = "checkout.session"
HEADINGS = {
    "payment": gettext_lazy("Pay"),
    "setup": gettext_lazy("Save a card"),
    "subscription": gettext_lazy("Subscribe"),
}
Page = Callable[[HttpRequest, StoredObject], HttpResponse]


def session_page(page: Page) -> Callable[..., HttpResponse]:
    """The page of the session in the address, in the session's language; there is a page for unknown ones too."""

    @wraps(page)
    def view(request: HttpRequest, id: str) -> HttpResponse:
        try:
            session = store.get(SESSION, id)
        except NoSuchObject:
            return render(request, "stripe_emulator/unknown.html", status=404)
        with override(_fixed_language(session) or get_language()):
            return page(request, session)

    return never_cache(require_http_methods(["GET", "HEAD", "POST"])(view))


@session_page
def pay_page(request: HttpRequest, session: StoredObject) -> HttpResponse:
    """`/pay/cs_test_…`"""
    if request.method != "POST":
        return _shown(request, session)
    form = PayForm(session, request.POST)
    if session.data["status"] == "open" and not form.is_valid():
        return _shown(request, session, form=form, status=422)
    session, decline = _try(session.stripe_id, partial(_pay, form=form))
    return _afterwards(request, session, decline, form)


@session_page
def authentication_page(request: HttpRequest, session: StoredObject) -> HttpResponse:
    """The bank's 3-D Secure question."""
    if request.method == "POST":
        succeeded = request.POST.get("answer") == "complete"
        session, decline = _try(session.stripe_id, partial(_answer, succeeded=succeeded))
        return _afterwards(request, session, decline, None)
    if session.data["status"] != "open" or not awaits_authentication(session):
        return SeeOther(reverse("pay", args=[session.stripe_id]))
    return render(request, "stripe_emulator/pay_authentication.html", summary(session))


def summary(session: StoredObject) -> Json:
    """Texts for the templates, in the current language."""
    data = session.data
    return {
        "session": data,
        "email": (data["customer_details"] or {}).get("email"),
        "lines": [_line(row) for row in session.hidden["line_items"]],
        "total": localized_amount(data["amount_total"], data["currency"]),
        "heading": HEADINGS[data["mode"]],
        "button": _button(data),
        "onward": onward(data),
    }


def onward(data: Json) -> str:
    """Where the buyer goes afterwards: https://docs.stripe.com/payments/checkout/custom-success-page"""
    return str(data["success_url"]).replace("{CHECKOUT_SESSION_ID}", data["id"])


@transaction.atomic
def _try(id: str, act: Callable[..., None]) -> tuple[StoredObject, CardDeclined | None]:
    """One buyer at a time: who comes second finds what the first has done. A decline is kept."""
    store.serialize_changes()
    session, at = store.locked(SESSION, id)
    try:
        if session.data["status"] == "open":
            act(session, at=at)
    except CardDeclined as decline:
        return session, decline
    return session, None


def _pay(session: StoredObject, *, at: int, form: PayForm) -> None:
    billing, method = form.billing_details, None
    if form.test is not None:
        method = create_method(at, test=form.test, billing_details=billing, parent=session)
    pay(session, method, at=at, billing=billing)


def _answer(session: StoredObject, *, at: int, succeeded: bool) -> None:
    if awaits_authentication(session):
        answer_authentication(session, at=at, succeeded=succeeded)


def _afterwards(
    request: HttpRequest, session: StoredObject, decline: CardDeclined | None, form: PayForm | None
) -> HttpResponse:
    """Onward when it is paid, to the bank when it asks, else back to the page."""
    if decline is not None:
        return _shown(request, session, form=form, problem=reason_of(decline), status=402)
    if session.data["status"] == "complete":
        wait_for_acknowledgement(session.stripe_id, "checkout.session.completed", seconds=LONGEST_WAIT)
        return SeeOther(onward(session.data))
    if session.data["status"] == "open" and awaits_authentication(session):
        return SeeOther(reverse("pay-authentication", args=[session.stripe_id]))
    return SeeOther(reverse("pay", args=[session.stripe_id]))


def _shown(
    request: HttpRequest, session: StoredObject, *, form: PayForm | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    """The page for what the session is at the moment."""
    context: dict[str, Any] = summary(session)
    if session.data["status"] == "expired":
        return render(request, "stripe_emulator/expired.html", context, status=410)
    if session.data["status"] == "complete":
        return render(request, "stripe_emulator/complete.html", context)
    form = form or PayForm(session)
    context |= {"form": form, "problem": problem, "chooses_language": not _fixed_language(session)}
    context["problems"] = [("id_method", problem)] if problem else form.problems
    return render(request, "stripe_emulator/pay.html", context, status=status)


def _fixed_language(session: StoredObject) -> str:
    """The language that the seller has chosen for the page, if it is one that we speak."""
    language = (session.data["locale"] or "auto").partition("-")[0]
    return language if language in dict(settings.LANGUAGES) else ""


def _line(row: Json) -> Json:
    recurring = row["price"]["recurring"]
    return {
        "description": row["description"],
        "quantity": row["quantity"],
        "unit_amount": localized_amount(row["price"]["unit_amount"], row["currency"]),
        "amount": localized_amount(row["amount_total"], row["currency"]),
        "interval": interval_in_words(recurring["interval"], recurring["interval_count"]) if recurring else "",
    }


def _button(data: Json) -> str:
    if data["mode"] == "setup":
        return gettext("Save the card")
    if data["mode"] == "subscription":
        return gettext("Subscribe")
    if data["amount_total"] == 0:
        return gettext("Place the order")
    return gettext("Pay %(amount)s") % {"amount": localized_amount(data["amount_total"], data["currency"])}
