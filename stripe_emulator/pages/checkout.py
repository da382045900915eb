"""The buyer's page: shows a session, takes the payment, asks the bank's question, sends the buyer onward."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stripe_emulator import clock, store
from stripe_emulator.errors import CardDeclined, NoSuchObject
from stripe_emulator.events.waiting import wait_for_acknowledgement
from stripe_emulator.life.checkout import answer_authentication, pay
from stripe_emulator.life.methods import make_method
from stripe_emulator.life.session_intents import awaits_authentication
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.answers import SeeOther
from stripe_emulator.pages.choices import reason_of
from stripe_emulator.pages.forms import PayForm
from stripe_emulator.pages.summary import onward, summary

LONGEST_WAIT = 10  # seconds: https://docs.stripe.com/checkout/fulfillment
KIND = "checkout.session"
Page = Callable[[HttpRequest, StoredObject], HttpResponse]


def of_session(page: Page) -> Callable[..., HttpResponse]:
    """The page of the session in the address, in the session's language; there is a page for unknown ones too."""

    @wraps(page)
    def view(request: HttpRequest, id: str) -> HttpResponse:
        try:
            session = store.get(KIND, id)
        except NoSuchObject:
            return render(request, "stripe_emulator/unknown.html", status=404)
        with override(_fixed_language(session) or get_language()):
            return page(request, session)

    return never_cache(require_http_methods(["GET", "HEAD", "POST"])(view))


@of_session
def pay_page(request: HttpRequest, session: StoredObject) -> HttpResponse:
    """`/pay/cs_test_…`"""
    if request.method != "POST":
        return _shown(request, session)
    form = PayForm(session, request.POST)
    if session.data["status"] == "open" and not form.is_valid():
        return _shown(request, session, form=form, status=422)
    session, decline = _try_to_pay(session.stripe_id, form)
    return _afterwards(request, session, decline, form)


@of_session
def authentication_page(request: HttpRequest, session: StoredObject) -> HttpResponse:
    """The bank's 3-D Secure question."""
    if request.method == "POST":
        session, decline = _answer(session.stripe_id, succeeded=request.POST.get("answer") == "complete")
        return _afterwards(request, session, decline, None)
    if session.data["status"] != "open" or not awaits_authentication(session):
        return SeeOther(reverse("pay", args=[session.stripe_id]))
    return render(request, "stripe_emulator/pay_authentication.html", summary(session))


@transaction.atomic
def _try_to_pay(id: str, form: PayForm) -> tuple[StoredObject, CardDeclined | None]:
    """One buyer at a time: who comes second finds what the first has done. A decline is kept."""
    store.one_at_a_time()
    session = store.get(KIND, id, lock=True)
    if session.data["status"] != "open":
        return session, None
    at = clock.now_for(session)
    billing, method = form.billing_details, None
    if form.test is not None:
        method = make_method(at, test=form.test, billing_details=billing, parent=session)
    try:
        pay(session, method, at=at, billing=billing)
    except CardDeclined as decline:
        return session, decline
    return session, None


@transaction.atomic
def _answer(id: str, *, succeeded: bool) -> tuple[StoredObject, CardDeclined | None]:
    store.one_at_a_time()
    session = store.get(KIND, id, lock=True)
    if session.data["status"] != "open" or not awaits_authentication(session):
        return session, None
    try:
        answer_authentication(session, at=clock.now_for(session), succeeded=succeeded)
    except CardDeclined as decline:
        return session, decline
    return session, None


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
    told: dict[str, Any] = summary(session)
    if session.data["status"] == "expired":
        return render(request, "stripe_emulator/expired.html", told, status=410)
    if session.data["status"] == "complete":
        return render(request, "stripe_emulator/complete.html", told)
    form = form or PayForm(session)
    told |= {"form": form, "problem": problem, "chooses_language": not _fixed_language(session)}
    told["problems"] = [("id_method", problem)] if problem else form.problems
    return render(request, "stripe_emulator/pay.html", told, status=status)


def _fixed_language(session: StoredObject) -> str:
    """The language that the seller has chosen for the page, if it is one that we speak."""
    told = (session.data["locale"] or "auto").partition("-")[0]
    return told if told in dict(settings.LANGUAGES) else ""
